import { AsyncLocalStorage } from 'node:async_hooks';
import { readEventState, writeOutcomes } from '@billing/store';
import pLimit from 'p-limit';
import type { SyncDeps } from '../deps.ts';
import { afterCommit } from './after-commit.ts';
import { applyGroup } from './apply-group.ts';
import type { Results } from './apply-group.ts';
import { decideGroup, keysOf } from './decide-group.ts';
import type { Group } from './decide-group.ts';
import type { EventResult, Settled } from './decide-object.ts';
import { createBatchScheduler } from './batch-scheduler.ts';
import { keyOf } from './target.ts';
import type { QueuedEvent } from './target.ts';

type Waiter = {
  queued: QueuedEvent;
  resolve: (result: EventResult) => void;
  reject: (error: unknown) => void;
};

export type EventApplier = { apply: (queued: QueuedEvent) => Promise<EventResult> };

const maxGroupsPerBatch = 64;
const backlogGroups = maxGroupsPerBatch / 2;

/**
 * Applies events in batches, one statement to read and one to write for all of them. Events of one object
 * are never decided twice at a time in this process; other processes are kept apart by the object's rowVersion.
 * `maxAlone`: how many objects at a time are worked on by themselves, with questions to Stripe.
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

  function settle(key: string, waiters: readonly Waiter[], outcome: Results | { error: unknown }): void {
    busy.delete(key);
    for (const { queued, resolve, reject } of waiters) {
      const result = 'error' in outcome ? undefined : outcome.get(queued.event.id);
      if (result !== undefined) resolve(result);
      else reject('error' in outcome ? outcome.error : new Error('an event was left undecided'));
    }
  }

  /** Alone: it needs Stripe, lost a race, or its batch failed. Does not hold up batches. */
  function settleAlone(group: Group, waiters: readonly Waiter[]): void {
    void alone(applyGroup, deps, group)
      .then(
        (results) => settle(group.key, waiters, results),
        (error: unknown) => settle(group.key, waiters, { error }),
      )
      .finally(schedule);
  }

  async function runBatch(taken: Map<string, Waiter[]>): Promise<void> {
    const groups = [...taken].flatMap(([key, waiters]) => toGroup(key, waiters) ?? []);
    const done = await applyTogether(deps, groups).catch((error: unknown) => {
      // One of them may have spoiled it for all: each then fails or succeeds by itself.
      deps.logger.debug('event_batch_failed', { count: groups.length, error });
      return new Map<string, Results>();
    });
    for (const group of groups) {
      const waiters = taken.get(group.key) ?? [];
      const results = done.get(group.key);
      if (results === undefined) settleAlone(group, waiters);
      else settle(group.key, waiters, results);
    }
  }

  function startBatch(): Promise<void> | null {
    const taken = takeGroups();
    if (taken.size === 0) return null;
    // Not in the context of whoever happened to finish last.
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

/** One statement reads, one writes. What needs Stripe or lost a race is missing from the answer. */
async function applyTogether(deps: SyncDeps, groups: readonly Group[]): Promise<Map<string, Results>> {
  const state = await readEventState(deps.database, keysOf(groups));
  const decided: { key: string; decision: Settled }[] = [];
  for (const group of groups) {
    const decision = decideGroup(group, { state, read: null, now: deps.clock() });
    if (decision.kind === 'write') decided.push({ key: group.key, decision });
  }
  const outcomes = decided.flatMap(({ decision }) => decision.outcome ?? []);
  if (outcomes.length === 0) {
    await afterCommit(
      deps,
      decided.map(({ decision }) => decision),
      [],
    );
    return new Map(decided.map(({ key, decision }) => [key, decision.results]));
  }
  const { written: writtenKeys, pending } = await writeOutcomes(deps.database, outcomes);
  const written = decided.filter(({ key, decision: { outcome } }) => {
    const hasRowVersion = outcome?.kind === 'subscription' || outcome?.kind === 'purchase';
    return !hasRowVersion || writtenKeys.has(key);
  });
  await afterCommit(
    deps,
    written.map(({ decision }) => decision),
    pending,
  );
  return new Map(written.map(({ key, decision }) => [key, decision.results]));
}
