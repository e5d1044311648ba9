import { countHeld, expireDueCommand, findDueHolds } from '@billing/store';
import type { MaintenanceDeps } from '../deps.ts';

type Deps = Pick<MaintenanceDeps, 'database' | 'usage' | 'clock' | 'metrics'>;

/** Accounts of one turn. */
const atOnce = 200;
const decideMs = 5_000;

/**
 * Writes down what the clock has decided: reservations that are due are released or charged. Every decision about their
 * account does the same; this is for accounts that nothing else is asked of.
 */
export async function tidyReservations({ database, usage, clock, metrics }: Deps): Promise<'again' | 'rest'> {
  const due = await findDueHolds(database, { now: clock(), limit: atOnce });
  const endsAt = performance.now() + decideMs;
  await Promise.all(
    due.map((key) => usage.committer.submit({ ...key, command: expireDueCommand }, { endsAt })),
  );
  const { held, overdue } = await countHeld(database, clock());
  metrics.usageReservations.set({ state: 'held' }, held);
  metrics.usageReservations.set({ state: 'overdue' }, overdue);
  return due.length === atOnce ? 'again' : 'rest';
}
