import { noItemPrice, unknownPurchase, unknownSubscription } from '@billing/domain';
import type { Owner, PurchaseRow, SubscriptionRow } from '@billing/domain';
import { createTestDatabase } from '@billing/testing';
import { Client } from 'pg';
import { createDatabase } from '../create-database.ts';
import type { Database } from '../create-database.ts';
import type { EventState, StateKeys } from './event-state.ts';
import type { LedgerOutcome, Outcome } from './outcomes.ts';
import { readEventState } from './read-state.ts';
import { writeOutcomes } from './write-outcomes.ts';

const at = Date.UTC(2026, 10, 22, 3, 4, 5, 678);

const event = (eventId: string, objectId: string | null): LedgerOutcome => ({
  eventId,
  type: 'customer.subscription.updated',
  objectId,
  customerId: 'cus_1',
  projectId: 'p',
  apiVersion: null,
  status: 'applied',
  reason: null,
  awaits: null,
  created: at,
  receivedAt: at + 1,
  processedAt: at + 2,
  traceId: null,
  payload: { text: `a "quoted" \\ one, ü`, list: [1, null] },
});

const known: Owner = { ref: 1, projectId: 'p', userId: 'u_0', version: 0 };
const added: Owner = { ref: null, projectId: 'p', userId: 'u_new', version: 0 };

const claims = { ...unknownSubscription('sub_1').claims, projectId: 'p', userId: 'u_0' };
const subscription: SubscriptionRow = {
  ...unknownSubscription('sub_1'),
  customerId: 'cus_1',
  claims,
  status: 'past_due',
  discounts: [{ discountId: 'di_1', itemId: null, end: at, coupon: null }],
  pastDueSeenAt: [at - 2_000, at - 1_000],
  snapshotAt: at,
  snapshotEventId: 'evt_1',
  items: [
    {
      ...noItemPrice,
      itemId: 'si_1',
      stripePriceId: 'price_1',
      quantity: 3,
      currentPeriodStart: at,
      currentPeriodEnd: null,
      firstPeriodStart: null,
    },
  ],
};
const unknown = unknownPurchase('pi_1');
const purchase: PurchaseRow = {
  ...unknown,
  customerId: 'cus_1',
  claims,
  status: 'paid',
  paidAt: at,
  amount: 900,
  invoiceId: 'in_1',
  record: { ...unknown.record, paid: { claimed: at } },
  items: [{ stripePriceId: 'price_1', quantity: 2 }],
};
const whole = { hasNewItems: true, keepsItems: true };
const bumped = { ...whole, owner: known, bumps: [1] };
const creating = { ...whole, owner: added, bumps: [] };

const ofSubscription = (
  change: typeof bumped | typeof creating,
  { id = 'evt_1', rowVersion = 0 } = {},
): Outcome => ({
  kind: 'subscription',
  row: { ...subscription, rowVersion },
  events: [event(id, 'sub_1')],
  ...change,
});
const ofPurchase = (change: typeof bumped | typeof creating): Outcome => ({
  kind: 'purchase',
  row: purchase,
  events: [event('evt_1', 'pi_1')],
  ...change,
});

/** Makes a batch of it, which the statements take as lists. */
const another: Outcome = { kind: 'none', events: [event('evt_other', null)] };

const keys: StateKeys = {
  eventIds: ['evt_1'],
  subscriptionIds: ['sub_1'],
  purchaseIds: ['pi_1'],
  customerIds: ['cus_1'],
  priceIds: ['price_1'],
  userIds: ['u_0'],
  projectIds: ['p'],
  relatedIds: ['in_1'],
};

const tables = [
  'subscriptions',
  'subscription_items',
  'purchases',
  'purchase_items',
  'users',
  'webhook_marks',
];
const ofEvent = ['stripe_events', 'stripe_event_payloads'];

/** All that is stored of what was written, but the moments of the writing. */
async function rowsIn(client: Client): Promise<Record<string, unknown>> {
  const stored = await Promise.all(
    [...tables, ...ofEvent].map(async (table) => {
      const where = ofEvent.includes(table) ? `WHERE event_id = 'evt_1'` : '';
      const { rows } = await client.query<{ row: object }>(
        `SELECT to_jsonb(t) - '{updated_at,created_at,first_seen_at}'::text[] AS row FROM public.${table} t ${where} ORDER BY t::text`,
      );
      return [table, rows.map(({ row }) => row)];
    }),
  );
  return Object.fromEntries(stored);
}

type Place = { database: Database; client: Client; read: (alone: boolean) => Promise<EventState> };

async function inPlace<T>(work: (place: Place) => Promise<T>): Promise<T> {
  const place = await createTestDatabase();
  const client = new Client({ connectionString: place.ownerUrl });
  await client.connect();
  const limits = { poolSize: 1, connectTimeoutMs: 5_000, statementTimeoutMs: 10_000 };
  const database = createDatabase({ url: place.url, ...limits });
  try {
    await client.query(`
      INSERT INTO public.projects (id, name, tells_changes) VALUES ('p', 'p', true);
      INSERT INTO public.users (project_id, user_id) VALUES ('p', 'u_0');
      INSERT INTO public.products (project_id, product_id, name) VALUES ('p', 'pro', 'Pro');
      INSERT INTO public.prices (project_id, product_id, price_id, stripe_price_id, interval, amount, currency)
      VALUES ('p', 'pro', 'monthly', 'price_1', 'month', 900, 'usd');
      INSERT INTO public.customers (stripe_customer_id, user_ref, source) VALUES ('cus_1', 1, 'import')`);
    const read = (alone: boolean) =>
      readEventState(database, alone ? keys : { ...keys, eventIds: ['evt_1', 'evt_absent'] });
    return await work({ database, client, read });
  } finally {
    await database.$disconnect();
    await client.end();
    await place.drop();
  }
}

const write = (outcomes: readonly Outcome[]) =>
  inPlace(async ({ database, client, read }) => {
    const { written, pending } = await writeOutcomes(database, outcomes, { erasureMark: 0 });
    return {
      written: [...written],
      pending,
      rows: await rowsIn(client),
      alone: await read(true),
      amongOthers: await read(false),
    };
  });

describe('one event alone, whose statements take values instead of lists', () => {
  it.each([
    { name: 'a subscription of a stored user', outcome: ofSubscription(bumped) },
    { name: 'a subscription of a new user', outcome: ofSubscription(creating) },
    { name: 'a purchase of a stored user', outcome: ofPurchase(bumped) },
    { name: 'a purchase of a new user', outcome: ofPurchase(creating) },
    {
      name: 'an event without an object',
      outcome: { kind: 'none', events: [event('evt_1', null)] } as const,
    },
    {
      name: 'an event that Postgres cannot store as it is',
      outcome: {
        kind: 'none',
        events: [{ ...event('evt_1', null), type: 'a\0b', payload: { 'k\0': 'v\uD800' } }],
      } as const,
    },
  ])('stores and reads of $name what it would among others', async ({ outcome }) => {
    const alone = await write([outcome]);
    expect(alone).toEqual(await write([outcome, another]));
    expect(alone.alone).toEqual(alone.amongOthers);
    expect(alone.alone.ledger.size).toBe(1);
    expect(alone.written).toHaveLength(outcome.kind === 'none' ? 0 : 1);
    expect(alone.pending).toHaveLength(outcome.kind === 'none' ? 0 : 1);
    const userId = 'owner' in outcome ? outcome.owner?.userId : undefined;
    const mark = { project_id: 'p', user_id: userId, cause: 'stripe_event:evt_1' };
    expect(alone.rows).toMatchObject({ webhook_marks: userId === undefined ? [] : [mark] });
  });

  it.each([
    { how: 'alone', others: [] },
    { how: 'among others', others: [another] },
  ])('$how, it is not written after another change, nor after an erasure', ({ others }) =>
    inPlace(async ({ database, client }) => {
      await writeOutcomes(database, [ofSubscription(bumped)], { erasureMark: 0 });
      const before = await rowsIn(client);
      const late = ofSubscription(bumped, { id: 'evt_late', rowVersion: 0 });
      const stale = await writeOutcomes(database, [late, ...others], { erasureMark: 0 });
      expect([stale.isCurrent, [...stale.written], stale.pending]).toEqual([true, [], []]);
      await client.query('UPDATE public.erasure_mark SET sequence = 1');
      const next = ofSubscription(bumped, { id: 'evt_late', rowVersion: 1 });
      const erased = await writeOutcomes(database, [next, ...others], { erasureMark: 0 });
      expect([erased.isCurrent, [...erased.written], [...erased.recorded]]).toEqual([false, [], []]);
      expect(await rowsIn(client)).toEqual(before);
      const { written, recorded } = await writeOutcomes(database, [next, ...others], { erasureMark: 1 });
      expect([[...written], recorded.has('evt_late')]).toEqual([['subscription:sub_1'], true]);
    }),
  );
});
