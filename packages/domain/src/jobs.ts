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

export const maintenanceJobs = {
  /** Reads the state of objects whose last word was in doubt. */
  settle: z.object({}),
} as const;
export type MaintenanceJobName = keyof typeof maintenanceJobs;
