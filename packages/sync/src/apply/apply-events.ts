import { AsyncLocalStorage } from 'node:async_hooks';
import pLimit from 'p-limit';
import type { SyncDeps } from '../deps.ts';
import { decideEvents, groupKeys } from './decide-events.ts';
import { decideUntilWritten } from './decide-until-written.ts';
import type { EventResult } from './plan-write.ts';
import { readState } from './read-state.ts';
import type { EventGroup, QueuedEvent } from './target.ts';
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

/** Waiting events by object. Objects that were taken stay busy, and their new events waiting, until they are finished. */
function createGroupQueue() {
  const waiting = new Map<string, Waiter[]>();
  const busy = new Set<string>();
  return {
    size: (): number => waiting.size,
    add: (waiter: Waiter): void => {
      const { key } = waiter.queued;
      const known = waiting.get(key);
      if (known === undefined) waiting.set(key, [waiter]);
      else known.push(waiter);
    },
    take: (most: number): Map<string, Waiter[]> => {
      const taken = new Map<string, Waiter[]>();
      for (const [key, waiters] of waiting) {
        if (taken.size === most) break;
        if (!busy.has(key)) taken.set(key, waiters);
      }
      for (const key of taken.keys()) {
        waiting.delete(key);
        busy.add(key);
      }
      return taken;
    },
    finish: (key: string, waiters: readonly Waiter[], outcome: Results | { error: unknown }): void => {
      busy.delete(key);
      for (const { queued, resolve, reject } of waiters) {
        const result = 'error' in outcome ? undefined : outcome.get(queued.event.id);
        if (result !== undefined) resolve(result);
        else reject('error' in outcome ? outcome.error : new Error('an event was left undecided'));
      }
    },
  };
}

/**
 * Applies events in batches: one statement reads and one writes for all of them. Events of one object are never decided
 * concurrently in this process; the row version protects against other processes. `maxAlone`: how many objects are
 * processed individually at a time, with lookups at Stripe.
 */
export function createEventApplier(deps: SyncDeps, { maxAlone }: { maxAlone: number }): EventApplier {
  const alone = pLimit(maxAlone);
  const queue = createGroupQueue();
  const outside = AsyncLocalStorage.snapshot();
  /** Of the event that has waited longest: it stands for the others in logs and traces. Cheaper than one for each. */
  let inContext: typeof outside | undefined;

  /** Individually: it needs Stripe, lost a race, or its batch failed. Does not delay batches. */
  function startAlone(group: EventGroup, waiters: readonly Waiter[]): void {
    void alone(applyAlone, deps, group)
      .then(
        (results) => queue.finish(group.key, waiters, results),
        (error: unknown) => queue.finish(group.key, waiters, { error }),
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
      if (results === undefined) startAlone(group, waiters);
      else queue.finish(group.key, waiters, results);
    }
  }

  const { schedule } = createBatchScheduler({
    start: () => {
      const taken = queue.take(maxGroupsPerBatch);
      if (taken.size === 0) return null;
      // Not in the context of the event whose batch happened to finish last.
      const run = inContext ?? outside;
      inContext = undefined;
      return run(() => runBatch(taken));
    },
    hasBacklog: () => queue.size() >= backlogGroups,
  });

  return {
    apply: (queued) =>
      new Promise((resolve, reject) => {
        inContext ??= AsyncLocalStorage.snapshot();
        queue.add({ queued, resolve, reject });
        schedule();
      }),
  };
}

function toGroup(key: string, waiters: readonly Waiter[]): EventGroup | null {
  const [first, ...others] = waiters.map(({ queued }) => queued);
  return first === undefined ? null : { key, events: [first, ...others] };
}

/** One statement reads, one writes. Groups that need Stripe or lost a race are missing from the result. */
async function applyTogether(deps: SyncDeps, groups: readonly EventGroup[]): Promise<Map<string, Results>> {
  const state = await readState(deps, groupKeys(groups));
  const plans = groups.flatMap((group) => {
    const decision = decideEvents(group, { state, found: null, now: deps.clock() });
    return decision.kind === 'write' ? [{ ...decision, key: group.key }] : [];
  });
  const written = await writePlans(deps, plans);
  return new Map(written.map(({ key, results }) => [key, results]));
}

const applyAlone = (deps: SyncDeps, group: EventGroup): Promise<Results> =>
  decideUntilWritten(deps, group, {
    readState: (keys) => readState(deps, keys),
    write: async (plan) => ((await writePlans(deps, [plan])).length === 0 ? null : plan.results),
  });

/** A batch that takes longer (a locked user, a slow disk) no longer delays others. */
const slowBatchMs = 100;
const maxBatches = 4;
/** Under a backlog one batch is prepared here while Postgres writes another. */
const maxQuick = 2;

type BatchSchedulerOptions = {
  /** Starts a batch of what is waiting, null if nothing is; the promise does not reject. */
  start: () => Promise<void> | null;
  /** Whether enough is waiting for a batch although one is running. */
  hasBacklog: () => boolean;
};

/**
 * Decides when the next batch starts. If none is running: at the end of this turn of the event loop, so that jobs that
 * arrived by one read of the socket go together. Otherwise when the running one ends or turns out to be slow, of which
 * there are a few at most; or as soon as there is a backlog.
 */
export function createBatchScheduler({ start, hasBacklog }: BatchSchedulerOptions): { schedule: () => void } {
  let running = 0;
  let quick = 0;
  let isDue = false;

  async function follow(batch: Promise<void>): Promise<void> {
    let isQuick = true;
    const leaveQuick = (): void => {
      if (isQuick) quick -= 1;
      isQuick = false;
    };
    running += 1;
    quick += 1;
    const timer = setTimeout(() => {
      leaveQuick();
      schedule();
    }, slowBatchMs);
    await batch;
    clearTimeout(timer);
    leaveQuick();
    running -= 1;
    schedule();
  }

  const mayStart = (): boolean => running < maxBatches && (quick === 0 || (quick < maxQuick && hasBacklog()));

  function schedule(): void {
    if (isDue || !mayStart()) return;
    isDue = true;
    setImmediate(() => {
      isDue = false;
      const batch = mayStart() ? start() : null;
      if (batch !== null) void follow(batch);
    });
  }

  return { schedule };
}
