import type { PaymentDetails, PaymentQuery, StripeLookup } from '@billing/domain';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EventState, StateKeys } from '@billing/store';
import type { SyncDeps } from '../deps.ts';
import { lookupPayment } from '../stripe/lookup-payment.ts';
import { lookupSubscription } from '../stripe/lookup-subscription.ts';
import { decideEvents, groupKeys } from './decide-events.ts';
import type { GroupLookup } from './decide-events.ts';
import type { WritePlan } from './plan-write.ts';
import type { EventGroup } from './target.ts';

/** Each lost race means that another writer succeeded; there are never that many workers. */
const maxRounds = 20;

/** An object changed in each round: to be tried again later. */
export class ContentionError extends Error {
  override readonly name = 'ContentionError';
  readonly code = 'contention';
}

type DecideOptions<T> = {
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
  group: EventGroup,
  { readState, lookupDeps = deps, write }: DecideOptions<T>,
): Promise<T> {
  let found: GroupLookup | null = null;
  for (let round = 0; round < maxRounds; round += 1) {
    const state = await readState(groupKeys([group], found === null ? [] : [found]));
    if (found !== null && found.rowVersion !== rowVersionOf(group, state)) found = null;
    const decision = decideEvents(group, { state, found, now: deps.clock() });
    if (decision.kind === 'needs_lookup') {
      found = await lookupForGroup(lookupDeps, group, { state, query: decision.query });
      continue;
    }
    const result = await write(decision, state);
    if (result !== null) return result;
    found = null;
    await sleep(Math.random() * 10 * (round + 1));
  }
  throw new ContentionError(`${group.key} changed in each of ${maxRounds} rounds.`);
}

/** The version of the stored row of a group's object; 0: not stored yet. */
function rowVersionOf({ events: [{ target }] }: EventGroup, state: EventState): number {
  if (target.kind === 'subscription') return state.subscriptions.get(target.id)?.row.rowVersion ?? 0;
  return target.kind === 'purchase' ? (state.purchases.get(target.id)?.row.rowVersion ?? 0) : 0;
}

/** Asks Stripe for what deciding the group needs; `state`, read before, has the row that the answer counts for. */
export async function lookupForGroup(
  deps: SyncDeps,
  group: EventGroup,
  { state, query }: { state: EventState; query: PaymentQuery | null },
): Promise<GroupLookup> {
  const { target } = group.events[0];
  const rowVersion = rowVersionOf(group, state);
  if (target.kind === 'subscription')
    return { kind: 'subscription', rowVersion, lookup: await lookupSubscription(deps, target.id) };
  const lookup: StripeLookup<PaymentDetails> =
    query === null ? { kind: 'missing' } : await lookupPayment(deps, query);
  return { kind: 'purchase', rowVersion, lookup };
}
