import { applyLookup, keepForRecheck, paymentQuery, resolvePurchase } from '@billing/domain';
import type {
  PaymentDetails,
  PurchaseRow,
  StripeLookup,
  SubscriptionRow,
  SubscriptionSnapshot,
} from '@billing/domain';
import { claimDuePurchases, claimDueSubscriptions, postponeRecheck } from '@billing/store';
import type { RecheckedTable, StateKeys } from '@billing/store';
import type { SyncDeps } from './deps.ts';
import { purchaseKind, subscriptionKind } from './apply/object-kinds.ts';
import type { ObjectKind, ObjectRow } from './apply/object-kinds.ts';
import { planWrite } from './apply/plan-write.ts';
import { readState } from './apply/read-state.ts';
import { noKeys, subscriptionKeys } from './apply/decide-events.ts';
import { itemKeys, relatedIdsOfDetails, soldByDetails } from './apply/details-keys.ts';
import { pauseAfterRefusalMs } from './outages.ts';
import { writePlans } from './apply/write-plans.ts';
import { lookupPayment } from './stripe/lookup-payment.ts';
import { lookupSubscription } from './stripe/lookup-subscription.ts';

const perRound = 20;
const mostPauseMs = 15_000;

/** When an object is rechecked again if this attempt brings nothing: soon, but not all objects at once. */
const nextAttemptAt = (now: number): number => now + mostPauseMs * (0.4 + Math.random() * 0.6);

/** How one kind of object is rechecked. */
type Recheck<Row extends ObjectRow, Found> = {
  kind: ObjectKind<Row, Found>;
  table: RecheckedTable;
  keys: (id: string) => Partial<StateKeys>;
  /** What deciding the found object needs besides. */
  foundKeys: (found: Found) => Partial<StateKeys>;
  lookup: (deps: SyncDeps, row: Row) => Promise<StripeLookup<Found>>;
  apply: (row: Row, lookup: Exclude<StripeLookup<Found>, { kind: 'unreachable' }>, now: number) => Row;
};

const subscriptions: Recheck<SubscriptionRow, SubscriptionSnapshot> = {
  kind: subscriptionKind,
  table: 'subscriptions',
  keys: (id) => ({ subscriptionIds: [id] }),
  foundKeys: (snapshot) => subscriptionKeys([snapshot]),
  lookup: (deps, row) => lookupSubscription(deps, row.id),
  apply: (row, lookup, now) =>
    lookup.kind === 'found'
      ? applyLookup(row, lookup.object, { at: row.snapshotAt, eventId: row.snapshotEventId, now })
      : keepForRecheck(row, lookup, now),
};

const noDetails: PaymentDetails = { lineItems: null, charge: null, invoice: null, intent: null };

const purchases: Recheck<PurchaseRow, PaymentDetails> = {
  kind: purchaseKind,
  table: 'purchases',
  keys: (id) => ({ purchaseIds: [id] }),
  foundKeys: (details) => ({
    ...itemKeys(soldByDetails(details)),
    relatedIds: relatedIdsOfDetails(details),
  }),
  lookup: async (deps, row) => {
    const query = paymentQuery(row, { isDue: true });
    return query === null ? { kind: 'found', object: noDetails } : lookupPayment(deps, query);
  },
  apply: (row, lookup, now) => {
    const step = resolvePurchase(row, { lookup, now });
    return step.kind === 'write' ? step.row : row;
  },
};

type OneOf<Row extends ObjectRow, Found> = { recheck: Recheck<Row, Found>; id: string };

/** Asked for again less and less often: it waits behind the others, and does not end a round. */
function postponeRefused(deps: SyncDeps, table: RecheckedTable, row: ObjectRow): Promise<void> {
  const until = deps.clock() + pauseAfterRefusalMs(row.recheckAttempts);
  return postponeRecheck(deps.database, table, { id: row.id, rowVersion: row.rowVersion, until });
}

/** Looks one object up at Stripe and writes the answer, unless the row changed meanwhile. */
async function recheckOne<Row extends ObjectRow, Found>(
  deps: SyncDeps,
  { recheck, id }: OneOf<Row, Found>,
): Promise<'done' | 'unreachable'> {
  const { kind } = recheck;
  const read = (more: Partial<StateKeys>) => readState(deps, { ...noKeys, ...more, ...recheck.keys(id) });
  const before = kind.stored(await read({}), id);
  if (before === undefined) return 'done';
  const lookup = await recheck.lookup(deps, before.row);
  if (lookup.kind === 'unreachable') {
    // The next attempt was scheduled when the row was claimed.
    if (lookup.isRefused !== true) return 'unreachable';
    await postponeRefused(deps, recheck.table, before.row);
    return 'done';
  }
  const state = await read(lookup.kind === 'found' ? recheck.foundKeys(lookup.object) : {});
  const stored = kind.stored(state, id);
  // An event was faster: it decided by itself, or left the row due again.
  if (stored === undefined || stored.row.rowVersion !== before.row.rowVersion) return 'done';
  const row = recheck.apply(stored.row, lookup, deps.clock());
  const createdAt = lookup.kind === 'found' ? kind.createdAt(lookup.object) : null;
  await writePlans(deps, [planWrite(kind, { stored, row, state, createdAt })], 'recheck');
  return 'done';
}

/**
 * One round over the rows that are due for a recheck. Stops at the first sign that Stripe is still unreachable; what
 * Stripe refuses is put off and does not stop it.
 * `again`: there are more.
 */
export async function recheckDue(deps: SyncDeps, signal: AbortSignal): Promise<'again' | 'rest'> {
  const now = deps.clock();
  const claim = { now, retryAt: nextAttemptAt(now), limit: perRound };
  const due = [
    ...(await claimDueSubscriptions(deps.database, claim)).map(
      (id) => () => recheckOne(deps, { recheck: subscriptions, id }),
    ),
    ...(await claimDuePurchases(deps.database, claim)).map(
      (id) => () => recheckOne(deps, { recheck: purchases, id }),
    ),
  ];
  for (const recheck of due) {
    if (signal.aborted || (await recheck()) === 'unreachable') return 'rest';
  }
  return due.length >= perRound ? 'again' : 'rest';
}
