import { readEventState, writeOutcomes } from '@billing/store';
import type { PendingInvalidation } from '@billing/store';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SyncDeps } from '../deps.ts';
import { afterCommit } from './after-commit.ts';
import { decideGroup, rowVersionOf, keysOf, lookupForGroup } from './decide-group.ts';
import type { Group, GroupLookup } from './decide-group.ts';
import type { EventResult, Settled } from './decide-object.ts';

export type Results = ReadonlyMap<string, EventResult>;

/** Each lost race means that another writer got on; far more than the workers there are. */
const maxRounds = 20;

/** An object kept changing under us: to be tried again later. */
export class ContentionError extends Error {
  override readonly name = 'ContentionError';
  readonly code = 'contention';
}

/** Writes what was decided; false: the object changed meanwhile. */
async function write(
  deps: SyncDeps,
  key: string,
  { outcome }: Settled,
): Promise<{ isHeld: boolean; pending: PendingInvalidation[] }> {
  if (outcome === null) return { isHeld: true, pending: [] };
  const { written, pending } = await writeOutcomes(deps.database, [outcome]);
  const hasRowVersion = outcome.kind === 'subscription' || outcome.kind === 'purchase';
  return { isHeld: !hasRowVersion || written.has(key), pending };
}

/**
 * Applies the events of one object by itself, with a look at Stripe where the order is in doubt. What Stripe
 * says counts only for the row as it was before the question: a slow old answer never beats a quick new one.
 */
export async function applyGroup(deps: SyncDeps, group: Group): Promise<Results> {
  let read: GroupLookup | null = null;
  for (let round = 0; round < maxRounds; round += 1) {
    const state = await readEventState(deps.database, keysOf([group], read === null ? [] : [read]));
    const rowVersion = rowVersionOf(group, state);
    if (read !== null && read.rowVersion !== rowVersion) read = null;
    const decision = decideGroup(group, { state, read, now: deps.clock() });
    if (decision.kind === 'read') {
      read = await lookupForGroup(deps, group, { rowVersion, query: decision.query });
      continue;
    }
    const { isHeld, pending } = await write(deps, group.key, decision);
    if (isHeld) {
      await afterCommit(deps, [decision], pending);
      return decision.results;
    }
    read = null;
    await sleep(Math.random() * 10 * (round + 1));
  }
  throw new ContentionError(`Events of one object lost ${maxRounds} races in a row.`);
}
