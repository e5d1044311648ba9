import { z } from 'zod';
import { usageEventRequest } from './contracts/usage-requests.ts';
import { id, traceId } from './ids.ts';
import type { Instant } from './time.ts';

/**
 * All queues of BullMQ. In `stripe-events` the job's name is the event's type and its `jobId` the event's id.
 * Names and data are a public contract: other programs may watch and feed the queues.
 */
export const queueNames = {
  stripeEvents: 'stripe-events',
  maintenance: 'maintenance',
  usageEvents: 'usage-events',
} as const;

/** BullMQ refuses job ids that consist of digits only or contain a colon. */
export const stripeEventId = z.string().regex(/^(?!\d+$)[A-Za-z0-9_-]{1,255}$/);

/** RFC 3339 with any offset, in either case: other programs feed the queues too, and a job that is not understood is lost. */
const receivedAt = z
  .string()
  .toUpperCase()
  .pipe(z.iso.datetime({ offset: true }));

/** `event`: whole or projected, of any API version. The worker parses it (`parseStripeEvent`). */
export const stripeEventJob = z.object({
  event: z.looseObject({ id: stripeEventId, type: z.string() }),
  received_at: receivedAt,
  /** Of the request that brought it, if that was traced. */
  trace_id: traceId.optional().catch(undefined),
});
export type StripeEventJob = z.output<typeof stripeEventJob>;

/** No event is older: Stripe's own beginnings. */
const firstEventAt: Instant = Date.UTC(2010, 0);

/**
 * When the event arrived. The ledger keeps payloads by this moment; a job that was added by hand, or by a clock that runs
 * ahead, may name any, which is brought between Stripe's beginnings and now.
 */
export const receivedAtOf = ({ received_at }: StripeEventJob, now: Instant): Instant =>
  Math.min(now, Math.max(firstEventAt, Date.parse(received_at)));

/** Recorded usage that came while Postgres was away. `request` is the body of `POST /api/v1/usage`, with its defaults. */
export const usageJob = z.object({
  project_id: id,
  request: usageEventRequest,
  received_at: receivedAt.transform((at) => Date.parse(at)),
});

/** The jobs of the queue `maintenance`: each job's data by its name. */
export const maintenanceJobs = {
  /** Searches Stripe's event list for events that are not in the ledger. */
  sweep: z.object({}),
  /** Compares our rows with Stripe. The scheduled job names no run and creates one. */
  reconcile: z.object({ run_id: z.string().optional() }),
  /** Applies events of the ledger again. */
  replay: z.object({ run_id: z.string() }),
  /** Takes an erased user's id out of all that names it. The run knows the user, the job does not. */
  erase: z.object({ run_id: z.string() }),
  /** Every hour: logs the head of the audit chain, deletes rows of the ledger and of runs whose retention time is over. */
  retention: z.object({}),
} as const;
