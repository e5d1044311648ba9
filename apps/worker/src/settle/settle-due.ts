import { applyReading, keepInDoubt, paymentWants, resolveOwner, settlePurchase } from '@billing/domain';
import type {
  PaymentReading,
  PurchaseRow,
  Reading,
  SubscriptionRow,
  SubscriptionSnapshot,
} from '@billing/domain';
import { claimDuePurchases, claimDueSubscriptions, readEventState, writeOutcomes } from '@billing/store';
import type { EventState, Held, StateKeys } from '@billing/store';
import type { WorkerDeps } from '../deps.ts';
import { bumpLateHolders, finishSettled, settleAdopted } from '../events/after-commit.ts';
import { namesOf } from '../events/decide-object.ts';
import { purchaseKind, subscriptionKind } from '../events/object-kinds.ts';
import type { ObjectKind } from '../events/object-kinds.ts';
import { readSubscription } from '../stripe/read-objects.ts';
import { readPayment } from '../stripe/read-payment.ts';

const perRound = 20;
const mostPauseMs = 15_000;

/** When an object in doubt is looked at again if this try comes to nothing: soon, but not all at once. */
const nextTryAt = (now: number): number => now + mostPauseMs * (0.4 + Math.random() * 0.6);

type Settling<Row, Read> = {
  kind: ObjectKind<Row, Read>;
  keys: (id: string) => Partial<StateKeys>;
  foundKeys: (read: Read) => Partial<StateKeys>;
  read: (deps: WorkerDeps, row: Row) => Promise<Reading<Read>>;
  settle: (row: Row, reading: Reading<Read>, now: number) => Row;
  fence: (row: Row) => number;
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
  read: (deps, row) => readSubscription(deps, row.id),
  settle: (row, reading, now) => {
    if (reading.kind === 'found')
      return applyReading(row, reading.object, { at: row.snapshotAt, eventId: row.snapshotEventId });
    return keepInDoubt(row, reading, now);
  },
  fence: (row) => row.fence,
};

const nothingAsked: PaymentReading = { lineItems: null, charge: null, invoice: null };

const purchases: Settling<PurchaseRow, PaymentReading> = {
  kind: purchaseKind,
  keys: (id) => ({ purchaseIds: [id] }),
  foundKeys: ({ lineItems, invoice }) => ({
    priceIds: (lineItems ?? []).map((item) => item.stripePriceId),
    invoiceIds: invoice === null || invoice.id === null ? [] : [invoice.id],
  }),
  read: async (deps, row) => {
    const wants = paymentWants(row);
    return wants === null ? { kind: 'found', object: nothingAsked } : readPayment(deps, wants);
  },
  settle: (row, reading, now) => {
    const step = settlePurchase(row, { reading, now });
    return step.kind === 'write' ? step.row : row;
  },
  fence: (row) => row.fence,
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
async function settleOne<Row, Read>(
  deps: WorkerDeps,
  { settling, id }: OneOf<Row, Read>,
): Promise<'settled' | 'unreachable'> {
  const { kind } = settling;
  const first = kind.stored(await readEventState(deps.database, { ...noKeys, ...settling.keys(id) }), id);
  if (first === undefined) return 'settled';
  const reading = await settling.read(deps, first.row);
  // Put off already when it was claimed.
  if (reading.kind === 'unreachable') return 'unreachable';
  const found = reading.kind === 'found' ? settling.foundKeys(reading.object) : {};
  const state = await readEventState(deps.database, { ...noKeys, ...settling.keys(id), ...found });
  const held = kind.stored(state, id);
  // An event came first: it decided by itself, or left the row due again.
  if (held === undefined || settling.fence(held.row) !== settling.fence(first.row)) return 'settled';
  const row = settling.settle(held.row, reading, deps.clock());
  await writeSettled(deps, { kind, held, row, state });
  return 'settled';
}

async function writeSettled<Row, Read>(
  deps: WorkerDeps,
  { kind, held, row, state }: { kind: ObjectKind<Row, Read>; held: Held<Row>; row: Row; state: EventState },
): Promise<void> {
  const ownership = resolveOwner(kind.ownable(row), state);
  const isOwned = ownership.kind === 'owned' && kind.standing(row) === 'owned';
  const owner = isOwned ? ownership.owner : held.owner;
  const isMaterial = owner?.ref !== held.owner?.ref || kind.matter(held.row) !== kind.matter(row);
  const concerned = [owner, held.owner, ...kind.holders(held.row, state), ...kind.holders(row, state)];
  const bumps = isMaterial ? concerned.flatMap((one) => one?.ref ?? []) : [];
  const hasNewItems = kind.itemsOf(held.row) !== kind.itemsOf(row);
  const outcome = kind.outcome({ row, hasNewItems, owner, bumps: [...new Set(bumps)], events: [] });
  const { owed } = await writeOutcomes(deps.database, [outcome]);
  const late = isMaterial
    ? await bumpLateHolders(deps, { invoiceId: kind.billsFor(row), bumped: bumps })
    : [];
  await finishSettled(deps, [], [...owed, ...late]);
  if (held.owner === null && owner !== null) await settleAdopted(deps, namesOf(kind.ownable(row)));
}

/**
 * One round of settling what is in doubt: rows whose order could not be settled when their events came. Stops
 * at the first sign that Stripe is still out of reach.
 */
export async function settleDue(deps: WorkerDeps, signal: AbortSignal): Promise<'again' | 'rest'> {
  const now = deps.clock();
  const claim = { now, retryAt: nextTryAt(now), limit: perRound };
  const due = [
    ...(await claimDueSubscriptions(deps.database, claim)).map(
      (id) => () => settleOne(deps, { settling: subscriptions, id }),
    ),
    ...(await claimDuePurchases(deps.database, claim)).map(
      (id) => () => settleOne(deps, { settling: purchases, id }),
    ),
  ];
  for (const settle of due) {
    if (signal.aborted || (await settle()) === 'unreachable') return 'rest';
  }
  return due.length >= perRound ? 'again' : 'rest';
}
