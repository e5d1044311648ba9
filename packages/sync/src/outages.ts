import { withDeadline } from '@billing/platform';
import type { Database } from '@billing/store';

const probeMs = 2_000;

/**
 * Whether an error comes from an outage of Postgres rather than from the event: decided by a query, as no list of
 * error codes is complete. A read-only Postgres counts as away, as nothing can be applied.
 */
export async function isDatabaseAway(database: Pick<Database, '$queryRaw'>): Promise<boolean> {
  try {
    const rows = await withDeadline(
      database.$queryRaw<{ is_read_only: boolean }[]>`
        SELECT pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on' AS is_read_only`,
      { ms: probeMs, onTimeout: () => new Error('Postgres did not answer.') },
    );
    return rows[0]?.is_read_only !== false;
  } catch {
    return true;
  }
}

const jittered = (ms: number): number => Math.round(ms * (0.5 + Math.random() / 2));

const doubled = (attempts: number, { leastMs, mostMs }: { leastMs: number; mostMs: number }): number =>
  jittered(Math.min(mostMs, leastMs * 2 ** Math.min(attempts, 20)));

/** Pause while a dependency is away, in ms: short, as it may be back at any moment. */
export const pauseInOutageMs = (attempts: number): number =>
  doubled(attempts, { leastMs: 500, mostMs: 15_000 });

/** Pause after a failure that the event itself causes, in ms: grows up to an hour. */
export const pauseAfterFailureMs = (failures: number): number =>
  doubled(failures, { leastMs: 1_000, mostMs: 3_600_000 });

/**
 * Pause before Stripe is asked again for what it refused, in ms: grows to four hours, as only a person can change the
 * key's permissions.
 */
export const pauseAfterRefusalMs = (attempts: number): number =>
  doubled(attempts, { leastMs: 15_000, mostMs: 4 * 3_600_000 });

/** Pause for a job that only another version of the worker may know, in ms. */
export const pauseForOthersMs = (): number => jittered(10_000);
