import { applyLookup, keepForRecheck, paymentQuery, resolveOwner, resolvePurchase } from '@billing/domain';
import type {
  PaymentDetails,
  PurchaseRow,
  StripeLookup,
  SubscriptionRow,
  SubscriptionSnapshot,
} from '@billing/domain';
import { claimDuePurchases, claimDueSubscriptions, readEventState, writeOutcomes } from '@billing/store';
import type { EventState, StateKeys, StoredObject } from '@billing/store';
import type { SyncDeps } from '../deps.ts';
import { bumpLateHolders, afterCommit, releaseEvents } from '../apply/after-commit.ts';
import { namesOf } from '../apply/decide-object.ts';
import { purchaseKind, subscriptionKind } from '../apply/object-kinds.ts';
import type { ObjectKind } from '../apply/object-kinds.ts';
import { lookupSubscription } from '../stripe/lookup-subscription.ts';
import { lookupPayment } from '../stripe/lookup-payment.ts';

const perRound = 20;
const mostPauseMs = 15_000;

/** When an object in doubt is looked at again if this try comes to nothing: soon, but not all at once. */
const nextTryAt = (now: number): number => now + mostPauseMs * (0.4 + Math.random() * 0.6);

type Settling<Row, Read> = {
  kind: ObjectKind<Row, Read>;
  keys: (id: string) => Partial<StateKeys>;
  foundKeys: (read: Read) => Partial<StateKeys>;
  read: (deps: SyncDeps, row: Row) => Promise<StripeLookup<Read>>;
  settle: (row: Row, lookup: StripeLookup<Read>, now: number) => Row;
  rowVersion: (row: Row) => number;
};

const subscriptions: Settling<SubscriptionRow, SubscriptionSnapshot> = {
  kind: subscriptionKind,
  keys: (id) => ({ subscriptionIds: [id] }),
  foundKeys: ({ customerId, claims, items }) => ({
    customerIds: customerId === null ? [] : [customerId],
    userIds: claims.userId === null ? [] : [claims.userId],
    projectIds: claims.projectId === null ? [] : [claims.projectId],
    priceIds: items.map((item) => item.stripePriceId),
  }),
  read: (deps, row) => lookupSubscription(deps, row.id),
  settle: (row, lookup, now) => {
    if (lookup.kind === 'found')
      return applyLookup(row, lookup.object, { at: row.snapshotAt, eventId: row.snapshotEventId });
    return keepForRecheck(row, lookup, now);
  },
  rowVersion: (row) => row.rowVersion,
};

const nothingAsked: PaymentDetails = { lineItems: null, charge: null, invoice: null };

const purchases: Settling<PurchaseRow, PaymentDetails> = {
  kind: purchaseKind,
  keys: (id) => ({ purchaseIds: [id] }),
  foundKeys: ({ lineItems, invoice }) => ({
    priceIds: (lineItems ?? []).map((item) => item.stripePriceId),
    invoiceIds: invoice === null || invoice.id === null ? [] : [invoice.id],
  }),
  read: async (deps, row) => {
    const query = paymentQuery(row);
    return query === null ? { kind: 'found', object: nothingAsked } : lookupPayment(deps, query);
  },
  settle: (row, lookup, now) => {
    const step = resolvePurchase(row, { lookup, now });
    return step.kind === 'write' ? step.row : row;
  },
  rowVersion: (row) => row.rowVersion,
};

const noKeys: StateKeys = {
  eventIds: [],
  subscriptionIds: [],
  purchaseIds: [],
  customerIds: [],
  priceIds: [],
  userIds: [],
  projectIds: [],
};

type OneOf<Row, Read> = { settling: Settling<Row, Read>; id: string };

/** Reads one object in doubt from Stripe and writes what it says, unless the row changed meanwhile. */
async function recheckOne<Row, Read>(
  deps: SyncDeps,
  { settling, id }: OneOf<Row, Read>,
): Promise<'settled' | 'unreachable'> {
  const { kind } = settling;
  const first = kind.stored(await readEventState(deps.database, { ...noKeys, ...settling.keys(id) }), id);
  if (first === undefined) return 'settled';
  const lookup = await settling.read(deps, first.row);
  // Put off already when it was claimed.
  if (lookup.kind === 'unreachable') return 'unreachable';
  const found = lookup.kind === 'found' ? settling.foundKeys(lookup.object) : {};
  const state = await readEventState(deps.database, { ...noKeys, ...settling.keys(id), ...found });
  const held = kind.stored(state, id);
  // An event came first: it decided by itself, or left the row due again.
  if (held === undefined || settling.rowVersion(held.row) !== settling.rowVersion(first.row))
    return 'settled';
  const row = settling.settle(held.row, lookup, deps.clock());
  await writeRechecked(deps, { kind, held, row, state });
  return 'settled';
}

async function writeRechecked<Row, Read>(
  deps: SyncDeps,
  {
    kind,
    held,
    row,
    state,
  }: { kind: ObjectKind<Row, Read>; held: StoredObject<Row>; row: Row; state: EventState },
): Promise<void> {
  const ownership = resolveOwner(kind.ownable(row), state);
  const isOwned = ownership.kind === 'owned' && kind.standing(row) === 'owned';
  const owner = isOwned ? ownership.owner : held.owner;
  const changesEntitlements =
    owner?.ref !== held.owner?.ref || kind.entitlementInputs(held.row) !== kind.entitlementInputs(row);
  const concerned = [owner, held.owner, ...kind.holders(held.row, state), ...kind.holders(row, state)];
  const bumps = changesEntitlements ? concerned.flatMap((one) => one?.ref ?? []) : [];
  const hasNewItems = kind.itemsOf(held.row) !== kind.itemsOf(row);
  const outcome = kind.outcome({ row, hasNewItems, owner, bumps: [...new Set(bumps)], events: [] });
  const { pending } = await writeOutcomes(deps.database, [outcome]);
  const late = changesEntitlements
    ? await bumpLateHolders(deps, { invoiceId: kind.billsFor(row), bumped: bumps })
    : [];
  await afterCommit(deps, [], [...pending, ...late]);
  if (held.owner === null && owner !== null) await releaseEvents(deps, namesOf(kind.ownable(row)));
}

/**
 * One round of settling what is in doubt: rows whose order could not be settled when their events came. Stops
 * at the first sign that Stripe is still out of reach.
 */
export async function recheckDue(deps: SyncDeps, signal: AbortSignal): Promise<'again' | 'rest'> {
  const now = deps.clock();
  const claim = { now, retryAt: nextTryAt(now), limit: perRound };
  const due = [
    ...(await claimDueSubscriptions(deps.database, claim)).map(
      (id) => () => recheckOne(deps, { settling: subscriptions, id }),
    ),
    ...(await claimDuePurchases(deps.database, claim)).map(
      (id) => () => recheckOne(deps, { settling: purchases, id }),
    ),
  ];
  for (const settle of due) {
    if (signal.aborted || (await settle()) === 'unreachable') return 'rest';
  }
  return due.length >= perRound ? 'again' : 'rest';
}
