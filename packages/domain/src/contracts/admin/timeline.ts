import { z } from 'zod';
import { listOf, pageFields } from './listing.ts';

/** What a user's timeline is made of. */
export const timelineKinds = ['stripe_event', 'grant', 'usage', 'webhook', 'audit'] as const;
export type TimelineKind = (typeof timelineKinds)[number];

export const timelineQuery = z.strictObject({
  kind: z.enum(timelineKinds).optional().describe('Only entries of this kind.'),
  ...pageFields,
});
export type TimelineQuery = z.output<typeof timelineQuery>;

export const timelineEntryOut = z
  .object({
    at: z.iso
      .datetime()
      .describe("When it happened: of Stripe's event its `created`, of usage the beginning of the hour."),
    kind: z.enum(timelineKinds),
    id: z.string().describe('Of the event, grant, message or audit row; of usage, the feature.'),
    action: z
      .string()
      .describe(
        "Stripe's type of event, the type of a webhook, the action of an audit row; `granted`, `revoked`; `used`.",
      ),
    subject: z
      .string()
      .nullable()
      .describe(
        "What it is about: Stripe's object, a feature, the target of a change by hand; null: the user.",
      ),
    status: z
      .string()
      .nullable()
      .describe(
        'What became of an event or of a webhook (the worst of its deliveries); null: of the others.',
      ),
    reason: z.string().nullable(),
    actor: z.string().nullable().describe('Who did it; null: no operator did.'),
    quantity: z.number().int().nullable().describe('Of usage, the sum of the hour; of a grant, its amount.'),
  })
  .meta({ id: 'TimelineEntry' });
export type TimelineEntryOut = z.output<typeof timelineEntryOut>;
export const timelineList = listOf(timelineEntryOut).meta({ id: 'TimelineEntryList' });
