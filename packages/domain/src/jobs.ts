import { z } from 'zod';

/**
 * The job catalog: everything that goes through BullMQ. Queue `stripe-events`: job name = event type,
 * `jobId` = Stripe event id. Anyone with BullMQ and the queue's Redis can watch or feed it.
 */
export const queueNames = { stripeEvents: 'stripe-events', maintenance: 'maintenance' } as const;

/** BullMQ refuses job ids that are all digits or contain a colon. */
export const stripeEventId = z.string().regex(/^(?!\d+$)[A-Za-z0-9_-]{1,255}$/);

/** The event itself is parsed by the worker (`parseStripeEvent`): whole or projected, of any API version. */
export const stripeEventJob = z.object({
  event: z.looseObject({ id: stripeEventId, type: z.string() }),
  received_at: z.iso.datetime(),
});
export type StripeEventJob = z.output<typeof stripeEventJob>;

/** Queue `maintenance`: job name → its data. */
export const maintenanceJobs = {
  /** Searches Stripe's event list for events that the ledger does not have. */
  sweep: z.object({}),
  /** Compares our rows with Stripe; without a run, as the calendar starts it, it makes one. */
  reconcile: z.object({ run_id: z.string().optional() }),
  /** Applies events of the ledger again. */
  replay: z.object({ run_id: z.string() }),
  /** Deletes what the ledger and the list of runs keep no longer. */
  retention: z.object({}),
} as const;
export type MaintenanceJobName = keyof typeof maintenanceJobs;
