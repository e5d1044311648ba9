import type { SubscriptionStatus } from './subscription.ts';

/** A subscription and its latest invoice; moments in any one unit. */
type Paused = {
  status: SubscriptionStatus;
  /** When it was paused; null: Stripe does not say. Then only the end of a trial pauses, which leaves no invoice open. */
  pausedAt: number | null;
  invoice: { status: string | null; createdAt: number | null };
};

/**
 * Whether a paused subscription waits until its latest invoice is paid: resuming it has made that invoice, and nothing else changes
 * (Stripe: "Resume a subscription"; there is no `pending_update`). An invoice from before the pause is what was not paid then.
 */
export const waitsForResumption = ({ status, pausedAt, invoice }: Paused): boolean =>
  status === 'paused' &&
  invoice.status === 'open' &&
  (pausedAt === null || (invoice.createdAt ?? 0) >= pausedAt);
