import { z } from 'zod';
import { entitlementOut } from './entitlements.ts';

/** What an endpoint may ask for; `webhook.ping` goes to whichever is pinged. */
export const webhookEventTypes = [
  'entitlements.changed',
  'catalog.changed',
  'usage.threshold_reached',
  'usage.limit_reached',
] as const;
export type WebhookEventType = (typeof webhookEventTypes)[number];

export const webhookMessageTypes = [...webhookEventTypes, 'webhook.ping'] as const;
export type WebhookMessageType = (typeof webhookMessageTypes)[number];

const instant = z.iso.datetime();
const whole = z.number().int();

const toldFields = {
  project_id: z.string(),
  user_id: z.string(),
  version: whole.describe('Of the answer of `GET /entitlements` that is told. Keep the greatest of a user.'),
  previous_version: whole
    .nullable()
    .describe('What was told of this user before, whether this endpoint got it or not; null: nothing yet.'),
};

const timestamp = instant.describe('When the message was made.');

/** The state of a user that has changed, whole. */
export const entitlementsChangedMessage = z
  .object({
    type: z.literal('entitlements.changed'),
    timestamp,
    data: z.object({
      ...toldFields,
      causes: z
        .array(z.string())
        .describe(
          'Why, at most 20, then `more`: `stripe_event:<id>`, `expired`, `started`, `granted:<id>`, `revoked:<id>`, `catalog`, `policy`, `mapping`, `assigned`, `moved`, `requested`, `recheck`, `reconcile`, `import`, `backfill`. Others may come: ignore them.',
        ),
      changes: z
        .array(
          z
            .object({ feature_code: z.string(), change: z.enum(['added', 'removed', 'updated']) })
            .meta({ id: 'EntitlementChange' }),
        )
        .describe('How `entitlements` differs from what was told before. Empty in a backfill.'),
      entitlements: z
        .array(entitlementOut)
        .describe('All that is in force, as `GET /entitlements` lists it.'),
      as_of: instant,
      valid_until: instant
        .nullable()
        .describe('When time alone changes it next, of which a message tells; null: never.'),
    }),
  })
  .meta({ id: 'EntitlementsChangedMessage', description: 'The full form: the state of the user.' });

/** The same without the state: read it (`GET /entitlements`). */
export const thinEntitlementsChangedMessage = z
  .object({
    type: z.literal('entitlements.changed'),
    truncated: z
      .literal(true)
      .optional()
      .describe('The full form would have more than 256 KB. Absent: the endpoint wants the thin form.'),
    timestamp,
    data: z.object(toldFields),
  })
  .meta({
    id: 'ThinEntitlementsChangedMessage',
    description: 'The thin form: that something has changed. `GET /entitlements` says what.',
  });

export const catalogChangedMessage = z
  .object({
    type: z.literal('catalog.changed'),
    timestamp,
    data: z.object({
      project_id: z.string(),
      version: whole.describe('Grows with every change of products, prices, features and policy.'),
    }),
  })
  .meta({ id: 'CatalogChangedMessage' });

const crossingFields = {
  project_id: z.string(),
  user_id: z.string(),
  feature_code: z.string(),
  used: whole,
  granted: whole,
  source: z.string(),
  source_id: z.string(),
  period_start: instant.nullable(),
  period_end: instant.nullable(),
  usage_seq: whole.describe('Grows with each change of the usage.'),
};

export const usageThresholdMessage = z
  .object({
    type: z.literal('usage.threshold_reached'),
    timestamp,
    data: z.object({
      ...crossingFields,
      threshold: whole.describe('In percent of `granted`.'),
    }),
  })
  .meta({ id: 'UsageThresholdMessage' });

export const usageLimitMessage = z
  .object({ type: z.literal('usage.limit_reached'), timestamp, data: z.object(crossingFields) })
  .meta({ id: 'UsageLimitMessage' });

export const webhookPingMessage = z
  .object({
    type: z.literal('webhook.ping'),
    timestamp,
    data: z.object({ project_id: z.string(), endpoint_id: z.string() }),
  })
  .meta({ id: 'WebhookPingMessage' });

/** Every body that is sent to a product. */
export const webhookMessage = z.union([
  entitlementsChangedMessage,
  thinEntitlementsChangedMessage,
  catalogChangedMessage,
  usageThresholdMessage,
  usageLimitMessage,
  webhookPingMessage,
]);
export type WebhookBody = z.output<typeof webhookMessage>;
