import { AsyncLocalStorage } from 'node:async_hooks';
import { readEventState } from '@billing/store';
import pLimit from 'p-limit';
import type { SyncDeps } from '../deps.ts';
import { createBatchScheduler } from './batch-scheduler.ts';
import { decideGroup } from './decide-group.ts';
import type { Group } from './decide-group.ts';
import { decideUntilWritten } from './decide-until-written.ts';
import type { EventResult } from './plan-write.ts';
import { groupKeys } from './state-keys.ts';
import { keyOf } from './target.ts';
import type { QueuedEvent } from './target.ts';
import { writePlans } from './write-plans.ts';

type Waiter = {
  queued: QueuedEvent;
  resolve: (result: EventResult) => void;
  reject: (error: unknown) => void;
};

/** By event id. */
type Results = ReadonlyMap<string, EventResult>;

export type EventApplier = { apply: (queued: QueuedEvent) => Promise<EventResult> };

const maxGroupsPerBatch = 64;
const backlogGroups = maxGroupsPerBatch / 2;

/**
 * Applies events in batches: one statement reads and one writes for all of them. Events of one object are never decided
 * concurrently in this process; the row version protects against other processes. `maxAlone`: how many objects are
 * processed individually at a time, with lookups at Stripe.
 */
export function createEventApplier(deps: SyncDeps, { maxAlone }: { maxAlone: number }): EventApplier {
  const alone = pLimit(maxAlone);
  const waiting = new Map<string, Waiter[]>();
  const busy = new Set<string>();
  const outside = AsyncLocalStorage.snapshot();
  /** Of the event that has waited longest: it stands for the others in logs and traces. Cheaper than one for each. */
  let inContext: typeof outside | undefined;

  function takeGroups(): Map<string, Waiter[]> {
    const taken = new Map<string, Waiter[]>();
    for (const [key, waiters] of waiting) {
      if (taken.size === maxGroupsPerBatch) break;
      if (!busy.has(key)) taken.set(key, waiters);
    }
    for (const key of taken.keys()) {
      waiting.delete(key);
      busy.add(key);
    }
    return taken;
  }

  function finish(key: string, waiters: readonly Waiter[], outcome: Results | { error: unknown }): void {
    busy.delete(key);
    for (const { queued, resolve, reject } of waiters) {
      const result = 'error' in outcome ? undefined : outcome.get(queued.event.id);
      if (result !== undefined) resolve(result);
      else reject('error' in outcome ? outcome.error : new Error('an event was left undecided'));
    }
  }

  /** Individually: it needs Stripe, lost a race, or its batch failed. Does not delay batches. */
  function applyAlone(group: Group, waiters: readonly Waiter[]): void {
    void alone(applyGroup, deps, group)
      .then(
        (results) => finish(group.key, waiters, results),
        (error: unknown) => finish(group.key, waiters, { error }),
      )
      .finally(schedule);
  }

  async function runBatch(taken: Map<string, Waiter[]>): Promise<void> {
    const groups = [...taken].flatMap(([key, waiters]) => toGroup(key, waiters) ?? []);
    const done = await applyTogether(deps, groups).catch((error: unknown) => {
      // One of them may have failed the statement for all: each then fails or succeeds by itself.
      deps.logger.debug('event_batch_failed', { count: groups.length, error });
      return new Map<string, Results>();
    });
    for (const group of groups) {
      const waiters = taken.get(group.key) ?? [];
      const results = done.get(group.key);
      if (results === undefined) applyAlone(group, waiters);
      else finish(group.key, waiters, results);
    }
  }

  function startBatch(): Promise<void> | null {
    const taken = takeGroups();
    if (taken.size === 0) return null;
    // Not in the context of the event whose batch happened to finish last.
    const run = inContext ?? outside;
    inContext = undefined;
    return run(() => runBatch(taken));
  }

  const { schedule } = createBatchScheduler({
    start: startBatch,
    hasBacklog: () => waiting.size >= backlogGroups,
  });

  return {
    apply: (queued) =>
      new Promise((resolve, reject) => {
        const key = keyOf(queued);
        const waiter = { queued, resolve, reject };
        inContext ??= AsyncLocalStorage.snapshot();
        const known = waiting.get(key);
        if (known === undefined) waiting.set(key, [waiter]);
        else known.push(waiter);
        schedule();
      }),
  };
}

function toGroup(key: string, waiters: readonly Waiter[]): Group | null {
  const [first, ...others] = waiters.map(({ queued }) => queued);
  return first === undefined ? null : { key, events: [first, ...others] };
}

/** One statement reads, one writes. Groups that need Stripe or lost a race are missing from the result. */
async function applyTogether(deps: SyncDeps, groups: readonly Group[]): Promise<Map<string, Results>> {
  const state = await readEventState(deps.database, groupKeys(groups));
  const plans = groups.flatMap((group) => {
    const decision = decideGroup(group, { state, found: null, now: deps.clock() });
    return decision.kind === 'write' ? [{ ...decision, key: group.key }] : [];
  });
  const written = await writePlans(deps, plans);
  return new Map(written.map(({ key, results }) => [key, results]));
}

const applyGroup = (deps: SyncDeps, group: Group): Promise<Results> =>
  decideUntilWritten(deps, group, {
    readState: (keys) => readEventState(deps.database, keys),
    write: async (plan) => ((await writePlans(deps, [plan])).length === 0 ? null : plan.results),
  });
