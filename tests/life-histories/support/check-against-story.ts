import type { EndState, LedgerRow } from './end-state.ts';
import type { Life } from './life.ts';
import type { Played, Trial } from './trial.ts';

const seconds = (at: unknown): number | null => (typeof at === 'string' ? Date.parse(at) / 1000 : null);

/** Every event has one row, and all are applied, stale or ignored. */
function checkLedger({ events }: Played, ledger: readonly LedgerRow[]): void {
  expect(ledger.map((row) => row.event_id)).toEqual(events.map((event) => event.id).sort());
  const others = ledger.filter((row) => !['applied', 'stale', 'ignored'].includes(row.status));
  expect(others).toEqual([]);
}

/** Each subscription as Stripe has it in the end, in the names of our columns. */
function subscriptionsOf(life: Life): object[] {
  const all = life.finalObjects().filter((object) => object.object === 'subscription');
  return all.map((object) => ({
    id: object.id.replace(life.run, 'RUN'),
    status: object['status'],
    cancel_at: object['cancel_at'],
    cancel_at_period_end: object['cancel_at_period_end'],
    ended_at: object['ended_at'],
    collection_paused: object['pause_collection'] !== null,
    items: itemsOf(object['items']).map((item) => ({ ...item, id: item.id.replace(life.run, 'RUN') })),
  }));
}

type RenderedItem = {
  id: string;
  price: { id: string };
  quantity: number;
  current_period_start: number;
  current_period_end: number;
};

const itemsOf = (list: unknown) =>
  (list as { data: RenderedItem[] }).data
    .map((item) => ({
      id: item.id,
      price: item.price.id,
      quantity: item.quantity,
      start: item.current_period_start,
      end: item.current_period_end,
    }))
    .sort((a, b) => (a.id < b.id ? -1 : 1));

type StoredItem = {
  item_id: string;
  stripe_price_id: string;
  quantity: number;
  current_period_start: string;
  current_period_end: string;
};

function storedSubscriptions({ subscriptions }: EndState): object[] {
  return subscriptions.map((row) => ({
    id: row.id,
    status: row['status'],
    cancel_at: seconds(row['cancel_at']),
    cancel_at_period_end: row['cancel_at_period_end'],
    ended_at: seconds(row['ended_at']),
    collection_paused: row['collection_paused'],
    items: (row['items'] as StoredItem[]).map((item) => ({
      id: item.item_id,
      price: item.stripe_price_id,
      quantity: item.quantity,
      start: seconds(item.current_period_start),
      end: seconds(item.current_period_end),
    })),
  }));
}

/** Checks one life's end state: rows and entitlements are those of the story's end, where that can be known. */
export function checkAgainstStory(
  trial: Trial,
  played: Played,
  { state, ledger }: { state: EndState; ledger: readonly LedgerRow[] },
): void {
  checkLedger(played, ledger);
  const { life, expected } = played;
  const owners = [...state.subscriptions, ...state.purchases].map((row) => row['owner']);
  // A payment that is not a purchase has no owner.
  const known = owners.filter((owner) => owner !== null);
  expect(new Set(known)).toEqual(new Set([life.userId.replace(life.run, 'RUN')]));
  // With ties and without Stripe it cannot be known which state was the last.
  const areEventsEnough = trial.spacing === 'story' && trial.story.needsStripe !== true;
  if (trial.stripe === 'missing' && !areEventsEnough) return;
  expect(storedSubscriptions(state)).toEqual(subscriptionsOf(life));
  if (trial.stripe !== 'missing')
    expect([...state.subscriptions, ...state.purchases].filter((row) => row['confirmed'] !== true)).toEqual(
      [],
    );
  expect(featuresOf(state, 'default')).toEqual(withDefault(expected.features));
  expect(featuresOf(state, 'strict')).toEqual(withDefault(expected.strict));
}

const ofPlans = ['pro', 'team', 'year'];

/** Who has nothing of the plans has the free one. */
const withDefault = (features: readonly string[]): string[] =>
  features.some((one) => ofPlans.includes(one)) ? [...features] : ['basic', ...features].toSorted();

function featuresOf({ granted }: EndState, policy: string): unknown[] {
  const found = granted.find((one) => one.at === 'just after' && one.policy === policy);
  return (found?.entitlements ?? []).map((one) => ('featureCode' in one ? one.featureCode : null));
}
