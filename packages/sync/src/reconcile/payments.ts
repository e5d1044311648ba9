import type { Run, EventState } from '@billing/store';
import { readEventState } from '@billing/store';
import type { MaintenanceDeps } from '../deps.ts';
import { acceptEvent } from '../apply/accept-event.ts';
import { decideGroup, rowVersionOf, keysOf, lookupForGroup } from '../apply/decide-group.ts';
import type { Group, GroupLookup } from '../apply/decide-group.ts';
import type { Decision, Settled } from '../apply/decide-object.ts';
import { keyOf } from '../apply/target.ts';
import type { QueuedEvent } from '../apply/target.ts';
import { inBackground } from '../stripe/in-background.ts';
import { driftOf } from './change.ts';
import type { Change } from './change.ts';
import type { Comparison, ListedObject, Listing } from './compare-page.ts';

/** The event that an object, as it is now, is told as; null: it says nothing about a payment yet. */
export type ToldAs = (rendered: ListedObject & Record<string, unknown>) => string | null;

/** Less than any id of Stripe's: of one second, an event's own word goes first. */
const listedEventId = (objectId: string): string => `0-${objectId}`;

/**
 * What a listed object says, told like an event of the moment that our row is at: merging it repeats what is
 * known and adds what is not, by the very rules by which events are merged.
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
  told: { rows: readonly ListedObject[]; toldAs: ToldAs; state: EventState | null },
): Group[] {
  const groups = new Map<string, [QueuedEvent, ...QueuedEvent[]]>();
  for (const rendered of told.rows) {
    const type = told.toldAs({ ...rendered });
    const first = type === null ? null : toEvent(deps, rendered, { type, created: rendered.created });
    const purchaseId = purchaseIdOf(first);
    if (type === null || first === null || purchaseId === null) continue;
    const seenAt = told.state?.purchases.get(purchaseId)?.row.snapshotAt ?? 0;
    const created = Math.max(rendered.created, Math.floor(seenAt / 1000));
    const queued = toEvent(deps, rendered, { type, created }) ?? first;
    const key = keyOf(queued);
    const known = groups.get(key);
    if (known === undefined) groups.set(key, [queued]);
    else known.push(queued);
  }
  return [...groups].map(([key, events]) => ({ key, events }));
}

/** A listing is no event: the ledger does not hear of it, and the row names no event that was none. */
function withoutEvents(decided: Settled): Settled {
  const { outcome } = decided;
  if (outcome?.kind !== 'purchase') return decided;
  const { row } = outcome;
  const isListed = row.snapshotEventId?.startsWith(listedEventId('')) === true;
  return {
    ...decided,
    awaited: null,
    outcome: { ...outcome, events: [], row: isListed ? { ...row, snapshotEventId: null } : row },
  };
}

function changeOf(
  decided: Settled,
  { state, projectId }: { state: EventState; projectId: string | null },
): Change | null {
  const { outcome } = decided;
  if (outcome?.kind !== 'purchase') return null;
  const { row, owner } = outcome;
  const held = state.purchases.get(row.id);
  if (projectId !== null && owner?.projectId !== projectId && held?.owner?.projectId !== projectId)
    return null;
  const drift = driftOf('purchase', {
    id: row.id,
    before: held === undefined ? null : held,
    after: { row, owner },
  });
  return drift === null ? null : { drift, outcome, decided };
}

type Decided = { kind: 'decided'; decided: Settled } | { kind: 'ask' } | { kind: 'unreachable' };

/** Decides what a listed payment changes, with a look at Stripe for what the list does not say. */
async function decide(
  deps: MaintenanceDeps,
  group: Group,
  { state, mayAsk }: { state: EventState; mayAsk: boolean },
): Promise<Decided> {
  const known = { ...state, ledger: new Map() };
  const first: Decision = decideGroup(group, { state: known, read: null, now: deps.clock() });
  if (first.kind === 'write') return { kind: 'decided', decided: withoutEvents(first) };
  if (!mayAsk) return { kind: 'ask' };
  const read: GroupLookup = await lookupForGroup(inBackground(deps), group, {
    rowVersion: rowVersionOf(group, state),
    query: first.query,
  });
  if (read.lookup.kind === 'unreachable') return { kind: 'unreachable' };
  const prices = await readEventState(deps.database, keysOf([group], [read]));
  const then = decideGroup(group, {
    // The row as it was before the question: its rowVersion is compared by the write.
    state: { ...prices, ledger: new Map(), purchases: state.purchases },
    read,
    now: deps.clock(),
  });
  return then.kind === 'write' ? { kind: 'decided', decided: withoutEvents(then) } : { kind: 'unreachable' };
}

/** Stripe's payments in one of its lists: what each says is compared with our purchase. */
export function paymentListing(
  deps: MaintenanceDeps,
  run: Run,
  { list, toldAs }: { list: Listing<EventState>['list']; toldAs: ToldAs },
): Listing<EventState> {
  async function compare(
    rows: readonly ListedObject[],
    state: EventState,
    mayAsk: boolean,
  ): Promise<Comparison> {
    const changes: Change[] = [];
    for (const group of groupsOf(deps, { rows, toldAs, state })) {
      const result = await decide(deps, group, { state, mayAsk });
      if (result.kind === 'unreachable')
        return { kind: 'later', pauseMs: 1_000, why: 'what a payment was for cannot be read' };
      // What has to be asked for first counts as a difference until it is.
      if (result.kind === 'ask') return { kind: 'unsure' };
      const change = changeOf(result.decided, { state, projectId: run.projectId });
      if (change !== null) changes.push(change);
    }
    return { kind: 'compared', changes };
  }

  return {
    list,
    idsOf: (rows) =>
      groupsOf(deps, { rows, toldAs, state: null }).flatMap(
        ({ events: [first] }) => purchaseIdOf(first) ?? [],
      ),
    readState: (rows) => readEventState(deps.database, keysOf(groupsOf(deps, { rows, toldAs, state: null }))),
    compare,
  };
}
