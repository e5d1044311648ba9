import { setTimeout as sleep } from 'node:timers/promises';
import type { EventState, StateKeys } from '@billing/store';
import type { SyncDeps } from '../deps.ts';
import { decideGroup, lookupForGroup, rowVersionOf } from './decide-group.ts';
import type { Group, GroupLookup } from './decide-group.ts';
import type { WritePlan } from './plan-write.ts';
import { groupKeys } from './state-keys.ts';

/** Each lost race means that another writer succeeded; there are never that many workers. */
const maxRounds = 20;

/** An object changed in each round: to be tried again later. */
export class ContentionError extends Error {
  override readonly name = 'ContentionError';
  readonly code = 'contention';
}

export type DecideOptions<T> = {
  readState: (keys: StateKeys) => Promise<EventState>;
  /** Whose budget and priority lookups use; default: `deps`. */
  lookupDeps?: SyncDeps;
  /** Null: another writer was faster, decide again. */
  write: (plan: WritePlan, state: EventState) => Promise<T | null>;
};

/**
 * Decides the events of one object by itself, with lookups at Stripe where its rules need them, until the plan is
 * written. A lookup counts only for the row as it was before Stripe was asked: a slow, old answer never overwrites a
 * quick, new one. Throws ContentionError.
 */
export async function decideUntilWritten<T>(
  deps: SyncDeps,
  group: Group,
  { readState, lookupDeps = deps, write }: DecideOptions<T>,
): Promise<T> {
  let found: GroupLookup | null = null;
  for (let round = 0; round < maxRounds; round += 1) {
    const state = await readState(groupKeys([group], found === null ? [] : [found]));
    const rowVersion = rowVersionOf(group, state);
    if (found !== null && found.rowVersion !== rowVersion) found = null;
    const decision = decideGroup(group, { state, found, now: deps.clock() });
    if (decision.kind === 'needs_lookup') {
      found = await lookupForGroup(lookupDeps, group, { rowVersion, query: decision.query });
      continue;
    }
    const result = await write(decision, state);
    if (result !== null) return result;
    found = null;
    await sleep(Math.random() * 10 * (round + 1));
  }
  throw new ContentionError(`${group.key} changed in each of ${maxRounds} rounds.`);
}
