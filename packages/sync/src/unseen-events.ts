import { dayMs, toTimestamp } from '@billing/domain';
import type { Instant } from '@billing/domain';
import { noteUnseenEvents, readUnseenEvents, clearUnseenEvents } from '@billing/store';
import type { EventSweep } from '@billing/store';
import type { SyncDeps } from './deps.ts';

/** Stripe lists events for 30 days. */
export const listedMs = 30 * dayMs;

export type Unseen = { from: Instant; to: Instant };

/**
 * The time whose events nobody can see any more: after the end of the last sweep, or the last reconcile that covered such
 * a time, and before what Stripe still lists. Null: none. On a fresh installation nothing was missed.
 */
export function unseenEvents({
  sweptTo,
  reconciledAt,
  now,
}: {
  sweptTo: Instant | null;
  reconciledAt: Instant | null;
  now: Instant;
}): Unseen | null {
  if (sweptTo === null) return null;
  const from = Math.max(sweptTo, reconciledAt ?? 0);
  const to = now - listedMs;
  return to > from ? { from, to } : null;
}

type Deps = Pick<SyncDeps, 'database' | 'counters' | 'logger' | 'mode'>;

/** Records what a sweep can no longer see: in the log, in the audit log, and for the metric until a reconcile covers it. */
export async function recordUnseen(deps: Deps, swept: EventSweep, now: Instant): Promise<void> {
  const unseen = unseenEvents({
    sweptTo: swept.sweptTo?.getTime() ?? null,
    reconciledAt: swept.reconciledAt?.getTime() ?? null,
    now,
  });
  if (unseen === null) return;
  const { isNew } = await noteUnseenEvents(deps.database, { mode: deps.mode, ...unseen });
  await measureUnseen(deps);
  if (!isNew) return;
  deps.logger.error('events_not_seen', {
    from: toTimestamp(unseen.from),
    to: toTimestamp(unseen.to),
    gap_seconds: Math.round((unseen.to - unseen.from) / 1000),
  });
}

const newestReads = new WeakMap<Deps['counters'], symbol>();

/** Sets the metric of the time whose events were not seen; of several at once, by the one that began to read last. */
export async function measureUnseen({ database, counters, mode }: Deps): Promise<void> {
  const read = Symbol('read');
  newestReads.set(counters, read);
  const unseen = await readUnseenEvents(database, mode);
  if (newestReads.get(counters) !== read) return;
  counters.unseenEvents.set(unseen === null ? 0 : (unseen.to - unseen.from) / 1000);
}

/** A reconcile of all projects was done that compared everything since a moment. */
export async function noteReconciled(
  deps: Deps,
  { since, at }: { since: Instant; at: Instant },
): Promise<void> {
  await clearUnseenEvents(deps.database, { mode: deps.mode, since, at });
  await measureUnseen(deps);
}
