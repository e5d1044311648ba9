import { z } from 'zod';
import { errorCatalog } from '../errors.ts';
import { stripeEventId } from '../jobs.ts';

const codes = Object.keys(errorCatalog);

/** Every error: RFC 9457 (application/problem+json). */
export const problemOut = z
  .object({
    type: z.string().describe('A URN that ends with the code.'),
    title: z.string(),
    status: z.number().int(),
    detail: z.string().describe('What to do about it.'),
    code: z.string().meta({ enum: codes }).describe('Stable: decide by this code.'),
    request_id: z.string().describe('Finds the request in the logs; name it when you report the error.'),
    errors: z
      .array(z.object({ path: z.string(), message: z.string() }))
      .optional()
      .describe('The fields to correct; only with `invalid_request`.'),
    hosted_invoice_url: z
      .string()
      .optional()
      .describe('Where to pay what is due; only with `payment_required`.'),
  })
  .meta({ id: 'Problem' });

/** The rule of `stripeEventId` as JSON Schema, whose patterns have no lookahead. */
const eventId = stripeEventId.meta({
  description: 'Letters, digits, `_` and `-`; not digits alone.',
  minLength: 1,
  maxLength: 255,
  pattern: '^[A-Za-z0-9_-]*[A-Za-z_-][A-Za-z0-9_-]*$',
});

/** For the API description only: the endpoint checks the signed body without copying it. */
export const webhookRequest = z
  .union([
    z
      .looseObject({
        id: eventId,
        type: z.string().min(1).describe('Such as `customer.subscription.updated`.'),
        data: z.looseObject({ object: z.looseObject({}).describe('What the event is about.') }),
      })
      .meta({ id: 'SnapshotEvent', description: 'An event with its object.' }),
    z
      .looseObject({ id: z.string().min(1), object: z.literal('v2.core.event') })
      .meta({ id: 'ThinEvent', description: 'A thin event: it is acknowledged and has no effect.' }),
  ])
  .meta({ id: 'StripeEvent' });

export const webhookResponse = z
  .object({ received: z.literal(true), event_id: z.string() })
  .meta({ id: 'WebhookResponse' });

export const healthResponse = z.object({ status: z.literal('healthy') });
export const liveResponse = z.object({ status: z.literal('alive') });
export const readyResponse = z
  .object({ status: z.enum(['ready', 'degraded', 'not ready']), checks: z.record(z.string(), z.string()) })
  .meta({ id: 'Readiness' });

export const projectMetricsResponse = z
  .object({
    project_id: z.string(),
    active_subscriptions: z.number().int(),
    trialing_subscriptions: z.number().int(),
    total_subscriptions: z.number().int(),
    mrr: z
      .array(z.object({ currency: z.string(), amount: z.number().int() }).meta({ id: 'MonthlyRevenue' }))
      .describe("Monthly recurring revenue by currency, in the currency's smallest unit."),
    estimated_mrr_cents: z
      .number()
      .int()
      .describe('Of `mrr`, the amount of the currency that most subscriptions have.'),
    estimated_mrr_dollars: z.number().describe('The same in whole units of that currency.'),
  })
  .meta({ id: 'ProjectMetrics' });
export type ProjectMetricsResponse = z.output<typeof projectMetricsResponse>;
