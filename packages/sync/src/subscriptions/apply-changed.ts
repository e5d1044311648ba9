import {
  isLiveStatus,
  keepForRecheck,
  reconcileSubscription,
  subscriptionSnapshot,
  unknownSubscription,
} from '@billing/domain';
import type { Schedule, StripeLookup, SubscriptionRow, SubscriptionSnapshot } from '@billing/domain';
import { withDeadline } from '@billing/platform';
import type { EventState } from '@billing/store';
import { noKeys, subscriptionKeys } from '../apply/decide-events.ts';
import { subscriptionKind } from '../apply/object-kinds.ts';
import { planWrite } from '../apply/plan-write.ts';
import { readState } from '../apply/read-state.ts';
import { writePlans } from '../apply/write-plans.ts';
import type { AskDeps, SyncDeps, WriteDeps } from '../deps.ts';
import { lookupSubscription } from '../stripe/lookup-subscription.ts';

/** What reading one subscription and writing it takes. */
export type ApplyDeps = WriteDeps &
  AskDeps &
  Pick<SyncDeps, 'clock' | 'stripe' | 'subscriptionLookups' | 'erasureKeys'>;

/** What a subscription shall become, as far as it was changed: null takes it away. */
export type Planned = { schedule?: Schedule | null; pendingPayment?: null };

/** A subscription that Stripe was asked to change. */
export type ChangedAtStripe = {
  id: string;
  /** Stripe's answer, if that was the subscription. */
  answer: unknown;
  /** What Stripe's other answers say of it; absent: nothing. */
  planned?: Planned | null;
  /** How long the look-up may take. */
  lookupMs: number;
};

const maxRounds = 5;

const rowVersionOf = (state: EventState, id: string): number =>
  state.subscriptions.get(id)?.row.rowVersion ?? 0;

/** Writes what `change` makes of the stored row. False: another writer was faster. */
async function write(
  deps: ApplyDeps,
  { id, state, change }: { id: string; state: EventState; change: (row: SubscriptionRow) => SubscriptionRow },
): Promise<boolean> {
  const stored = state.subscriptions.get(id);
  const row = change(stored?.row ?? unknownSubscription(id));
  const plan = planWrite(subscriptionKind, { stored, row, state, createdAt: row.stripeCreatedAt });
  return (await writePlans(deps, [plan], 'requested')).length > 0;
}

async function lookUpInTime(
  deps: ApplyDeps,
  { id, lookupMs }: ChangedAtStripe,
): Promise<StripeLookup<SubscriptionSnapshot>> {
  const late = new Error('Stripe did not answer in time');
  return withDeadline(lookupSubscription(deps, id), { ms: lookupMs, onTimeout: () => late }).catch(
    (error: unknown) => {
      if (error !== late) throw error;
      return { kind: 'unreachable' };
    },
  );
}

/** The row by a snapshot that was read just now: events from before Stripe's answer, which may still be under way, are stale. */
const applied =
  (deps: ApplyDeps, snapshot: SubscriptionSnapshot) =>
  (row: SubscriptionRow): SubscriptionRow => {
    const createdAt = Math.max(snapshot.createdAt ?? 0, snapshot.answeredAt ?? 0);
    return reconcileSubscription(row, { snapshot, createdAt, readAt: deps.clock() });
  };

/** A row that changed meanwhile has what is planned only where it names the schedule without knowing it. */
function withPlanned(row: SubscriptionRow, planned: Planned, isUnchanged: boolean): SubscriptionRow {
  const isSameSchedule =
    row.schedule?.changes === null && row.schedule.scheduleId === planned.schedule?.scheduleId;
  const isLive = row.status !== null && isLiveStatus(row.status);
  return isLive && (isUnchanged || isSameSchedule) ? { ...row, ...planned } : row;
}

/** What Stripe answered, to be read again soon; the row as it is where it changed since `rowVersion`. */
async function keepAnswer(
  deps: ApplyDeps,
  { id, answer, planned }: ChangedAtStripe,
  rowVersion: number,
): Promise<boolean> {
  const parsed = subscriptionSnapshot.safeParse(answer);
  const snapshot = parsed.success && parsed.data.id === id ? parsed.data : null;
  const state = await readState(
    deps,
    snapshot === null ? { ...noKeys, subscriptionIds: [id] } : subscriptionKeys([snapshot]),
  );
  const isUnchanged = rowVersionOf(state, id) === rowVersion;
  const apply = snapshot !== null && isUnchanged ? applied(deps, snapshot) : (row: SubscriptionRow) => row;
  const change = (row: SubscriptionRow): SubscriptionRow =>
    keepForRecheck(
      withPlanned(apply(row), planned ?? {}, isUnchanged),
      { kind: 'unreachable' },
      deps.clock(),
    );
  return write(deps, { id, state, change });
}

/**
 * After Stripe was asked to change a subscription: looks it up and writes it as an event does, so that the next read is right
 * before the event comes. Where it cannot be looked up, Stripe's answers are written unconfirmed, and looked up again soon. The
 * row version, read before Stripe is asked, protects what events write meanwhile.
 */
export async function applyChanged(
  deps: ApplyDeps,
  changed: ChangedAtStripe,
): Promise<'confirmed' | 'unconfirmed'> {
  const { id } = changed;
  const endsAt = performance.now() + changed.lookupMs;
  let rowVersion = 0;
  for (let round = 0; round < maxRounds; round += 1) {
    rowVersion = rowVersionOf(await readState(deps, { ...noKeys, subscriptionIds: [id] }), id);
    const lookupMs = Math.max(1, endsAt - performance.now());
    const lookup = await lookUpInTime(deps, { ...changed, lookupMs });
    if (lookup.kind !== 'found') break;
    const state = await readState(deps, subscriptionKeys([lookup.object]));
    const isUnchanged = rowVersionOf(state, id) === rowVersion;
    if (isUnchanged && (await write(deps, { id, state, change: applied(deps, lookup.object) })))
      return 'confirmed';
  }
  for (let round = 0; round < maxRounds; round += 1)
    if (await keepAnswer(deps, changed, rowVersion)) return 'unconfirmed';
  return 'unconfirmed';
}
