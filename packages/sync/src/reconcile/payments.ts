import type { Run, EventState } from '@billing/store';
import type { MaintenanceDeps } from '../deps.ts';
import { decideEvents, groupKeys } from '../apply/decide-events.ts';
import { lookupForGroup } from '../apply/decide-until-written.ts';
import { acceptEvent } from '../apply/handlers.ts';
import { readState } from '../apply/read-state.ts';
import type { WritePlan } from '../apply/plan-write.ts';
import { groupByObject } from '../apply/target.ts';
import type { EventGroup, QueuedEvent } from '../apply/target.ts';
import { inBackground } from '../stripe/read-budget.ts';
import { changeOf } from './compare-page.ts';
import type { Change, Comparison, ListedObject, Listing } from './compare-page.ts';

/** The type of event that stands for an object in its present state; null: it says nothing about a payment yet. */
export type EventTypeOf = (rendered: ListedObject & Record<string, unknown>) => string | null;

/** Less than any id of Stripe's: within one second a real event wins. */
const listedEventId = (objectId: string): string => `0-${objectId}`;

/**
 * A listed object as an event of the moment that our row is at: merging it repeats what is known and adds what is
 * not, by the same rules by which events are merged.
 */
function toEvent(
  deps: MaintenanceDeps,
  rendered: ListedObject,
  { type, created }: { type: string; created: number },
): QueuedEvent | null {
  const raw = {
    id: listedEventId(rendered.id),
    object: 'event',
    type,
    created,
    data: { object: { ...rendered } },
  };
  return acceptEvent({ raw, receivedAt: deps.clock() }, deps);
}

function purchaseIdOf(queued: QueuedEvent | null): string | null {
  return queued?.target.kind === 'purchase' ? queued.target.id : null;
}

function groupsOf(
  deps: MaintenanceDeps,
  { rows, typeOf, state }: { rows: readonly ListedObject[]; typeOf: EventTypeOf; state: EventState | null },
): EventGroup[] {
  const events = rows.flatMap((rendered) => {
    const type = typeOf({ ...rendered });
    const first = type === null ? null : toEvent(deps, rendered, { type, created: rendered.created });
    const purchaseId = purchaseIdOf(first);
    if (type === null || first === null || purchaseId === null) return [];
    const known = state?.purchases.get(purchaseId);
    // Nothing was ever paid: it matters for a purchase that waits for the money.
    if (type === 'payment_intent.canceled' && state !== null && known === undefined) return [];
    const seenAt = known?.row.snapshotAt ?? 0;
    const created = Math.max(rendered.created, Math.floor(seenAt / 1000));
    return [toEvent(deps, rendered, { type, created }) ?? first];
  });
  return groupByObject(events);
}

/** A listed object is no event: it gets no ledger row, and the object's row names no event. */
function withoutEvents(plan: WritePlan): WritePlan {
  const { outcome } = plan;
  if (outcome?.kind !== 'purchase') return plan;
  const { row } = outcome;
  const isListed = row.snapshotEventId?.startsWith(listedEventId('')) === true;
  return {
    ...plan,
    review: null,
    outcome: { ...outcome, events: [], row: isListed ? { ...row, snapshotEventId: null } : row },
  };
}

type Decided = { kind: 'decided'; plan: WritePlan } | { kind: 'needs_lookup' } | { kind: 'unreachable' };

/** Decides what a listed payment changes, with a lookup at Stripe for what the list does not say. */
async function decide(
  deps: MaintenanceDeps,
  group: EventGroup,
  { state, mayLookUp }: { state: EventState; mayLookUp: boolean },
): Promise<Decided> {
  const known = { ...state, ledger: new Map() };
  const first = decideEvents(group, { state: known, found: null, now: deps.clock() });
  if (first.kind === 'write') return { kind: 'decided', plan: withoutEvents(first) };
  if (!mayLookUp) return { kind: 'needs_lookup' };
  const found = await lookupForGroup(inBackground(deps), group, { state, query: first.query });
  if (found.lookup.kind === 'unreachable' && found.lookup.isRefused !== true) return { kind: 'unreachable' };
  const prices = await readState(deps, groupKeys([group], [found]));
  const then = decideEvents(group, {
    // The row as it was before the lookup: the write compares its version.
    state: { ...prices, ledger: new Map(), purchases: state.purchases },
    found,
    now: deps.clock(),
  });
  return then.kind === 'write' ? { kind: 'decided', plan: withoutEvents(then) } : { kind: 'unreachable' };
}

/** One of Stripe's lists of payments, compared with our purchases. */
export function paymentListing(
  deps: MaintenanceDeps,
  run: Run,
  { list, typeOf }: { list: Listing['list']; typeOf: EventTypeOf },
): Listing {
  async function compare(
    rows: readonly ListedObject[],
    state: EventState,
    mayLookUp: boolean,
  ): Promise<Comparison> {
    const changes: Change[] = [];
    for (const group of groupsOf(deps, { rows, typeOf, state })) {
      const result = await decide(deps, group, { state, mayLookUp });
      if (result.kind === 'unreachable')
        return { kind: 'later', pauseMs: 1_000, why: 'what a payment was for cannot be looked up' };
      // What needs a lookup counts as a difference until it was made.
      if (result.kind === 'needs_lookup') return { kind: 'unsure' };
      const change = changeOf(result.plan, { state, projectId: run.projectId });
      if (change !== null) changes.push(change);
    }
    return { kind: 'compared', changes };
  }

  return {
    list,
    idsOf: (rows) =>
      groupsOf(deps, { rows, typeOf, state: null }).flatMap(({ events: [{ target }] }) =>
        // A payment without our metadata is its session's, or none of ours.
        target.kind === 'purchase' && !target.change.isForKnown ? [target.id] : [],
      ),
    readState: (rows, database) =>
      readState({ ...deps, database }, groupKeys(groupsOf(deps, { rows, typeOf, state: null }))),
    compare,
  };
}
