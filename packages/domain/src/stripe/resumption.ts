import { z } from 'zod';
import { secondsOrNull } from './fields.ts';

/** A subscription's `status_details`, since 2026-09-30 (endive): when it was paused. */
export const pausedAt = z
  .object({ paused: z.object({ transitioned_at: secondsOrNull }).nullish() })
  .nullish()
  .catch(null)
  .transform((details) => details?.paused?.transitioned_at ?? null);

/** A subscription and its latest invoice; moments in any one unit. */
type Paused = {
  status: string;
  /** Null: Stripe does not say. Then only the end of a trial pauses, which leaves no invoice open. */
  pausedAt: number | null;
  invoice: { status: string | null; createdAt: number | null };
};

/**
 * Whether a paused subscription waits until its latest invoice is paid: resuming it has made that invoice, and nothing else changes
 * (Stripe: "Resume a subscription"; there is no `pending_update`). An invoice from before the pause is what was not paid then.
 */
export const waitsForResumption = ({ status, pausedAt: since, invoice }: Paused): boolean =>
  status === 'paused' && invoice.status === 'open' && (since === null || (invoice.createdAt ?? 0) >= since);
