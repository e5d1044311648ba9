import { addMonths, dayMs, monthOf, startOfMonth } from '@billing/domain';
import { createTestDatabase } from '@billing/testing';
import type { TestDatabase } from '@billing/testing';
import { Client } from 'pg';
import { createDatabase } from '../create-database.ts';
import type { Database } from '../create-database.ts';
import type { LedgerOutcome } from '../events/outcomes.ts';
import { createErasureKeys } from '../erasure/erasure-keys.ts';
import { writeOutcomes } from '../events/write-outcomes.ts';
import { findLedgerEvents, getLedgerEvent } from '../ledger.ts';
import { findUsers } from '../users/find-users.ts';
import { erasePayloads } from './erase-payloads.ts';
import { hasPayloadsToMove, movePayloads } from './move-payloads.ts';
import { dropPayloadMonth, listPayloadMonths, makePayloadMonth } from './payload-months.ts';

let place: TestDatabase;
let database: Database;
let client: Client;

beforeEach(async () => {
  place = await createTestDatabase();
  database = createDatabase({
    url: place.url,
    poolSize: 6,
    connectTimeoutMs: 5_000,
    statementTimeoutMs: 5_000,
  });
  client = new Client({ connectionString: place.ownerUrl });
  await client.connect();
});
afterEach(async () => {
  await client.end();
  await database.$disconnect();
  await place.drop();
});

const present = monthOf(Date.now());
const inMonth = (count: number): number => startOfMonth(addMonths(present, count)) + dayMs;

const outcome = (eventId: string, parts: Partial<LedgerOutcome> = {}): LedgerOutcome => ({
  eventId,
  type: 'customer.subscription.updated',
  objectId: 'sub_1',
  customerId: null,
  projectId: null,
  apiVersion: null,
  status: 'applied',
  reason: null,
  awaits: null,
  created: Date.now(),
  receivedAt: Date.now(),
  processedAt: Date.now(),
  traceId: null,
  payload: { id: eventId, data: { object: { id: 'sub_1' } } },
  ...parts,
});

const by = { actor: { name: 'tester', requestId: null }, erasureKeys: createErasureKeys([]) };

const write = (...events: LedgerOutcome[]) =>
  writeOutcomes(database, [{ kind: 'none', events }], { erasureMark: 0 });

/** As the previous version writes it. */
async function writeAsBefore(eventId: string, receivedAt = Date.now()): Promise<void> {
  const { type, created, processedAt, payload } = outcome(eventId);
  await client.query(
    `INSERT INTO public.stripe_events (event_id, type, object_id, status, created, received_at, processed_at, payload)
     VALUES ($1, $2, 'sub_1', 'applied', $3, $4, $5, $6)`,
    [eventId, type, new Date(created), new Date(receivedAt), new Date(processedAt), payload],
  );
}

const payloadOf = async (eventId: string) => (await getLedgerEvent(database, eventId))?.payload;
const inRow = (eventId: string) =>
  database.stripeEvent.findUniqueOrThrow({ where: { eventId } }).then(({ payload }) => payload);
const keptMonths = async (): Promise<Record<string, string[]>> => {
  const { rows } = await client.query<{ month: string; ids: string[] }>(`
    SELECT right(tableoid::regclass::text, 7) AS month, array_agg(event_id ORDER BY event_id) AS ids
    FROM public.stripe_event_payloads GROUP BY 1`);
  return Object.fromEntries(rows.map(({ month, ids }) => [month.replace('_', '-'), ids]));
};

test('the migration makes the last month, this one and the next three', async () => {
  expect(await listPayloadMonths(database)).toEqual(
    [-1, 0, 1, 2, 3].map((count) => addMonths(present, count)),
  );
});

test('a payload is written to the month in which its event was received, and not to the row of the ledger', async () => {
  await write(
    outcome('evt_1'),
    outcome('evt_2', { receivedAt: inMonth(1) }),
    outcome('evt_3', { payload: null }),
  );
  expect(await keptMonths()).toEqual({ [present]: ['evt_1'], [addMonths(present, 1)]: ['evt_2'] });
  expect(await inRow('evt_1')).toBeNull();
  expect([await payloadOf('evt_1'), await payloadOf('evt_3')]).toEqual([outcome('evt_1').payload, null]);
});

test.each([
  ['by a worker that was off for five months', 5],
  ['of an event that waited in the queue for two years', -24],
])('a write never fails because a month is missing: %s', async (_, count) => {
  const month = addMonths(present, count);
  await write(outcome('evt_1', { receivedAt: inMonth(count) }), outcome('evt_2'));
  expect(await keptMonths()).toEqual({ [present]: ['evt_2'], [month]: ['evt_1'] });
  expect(await listPayloadMonths(database)).toContain(month);
});

test('an event that is recorded again keeps its moment, also where that month is gone', async () => {
  const [first, again] = [inMonth(-30), Date.now()];
  await write(outcome('evt_1', { status: 'failed', reason: 'processing_failed', receivedAt: first }));
  await dropPayloadMonth(database, monthOf(first));
  expect(await payloadOf('evt_1')).toBeNull();
  const payload = { id: 'evt_1', again: true };
  await write(outcome('evt_1', { receivedAt: again, payload }));
  expect(await keptMonths()).toEqual({ [monthOf(first)]: ['evt_1'] });
  expect(await getLedgerEvent(database, 'evt_1')).toMatchObject({ payload, status: 'applied', attempts: 2 });
});

test('an event that is recorded again has the newer payload; a final one keeps its own', async () => {
  await write(outcome('evt_1', { status: 'quarantined', reason: 'unknown_price' }));
  await write(outcome('evt_1', { payload: { id: 'second' } }));
  await write(outcome('evt_1', { payload: { id: 'third' } }));
  expect(await payloadOf('evt_1')).toEqual({ id: 'second' });
});

test('a payload is found from the row in one partition only, whatever the number of months', async () => {
  await write(outcome('evt_1'));
  const { rows } = await client.query<{ 'QUERY PLAN': unknown }>(`
    EXPLAIN (ANALYZE, FORMAT JSON) SELECT (SELECT kept.payload FROM public.stripe_event_payloads kept
      WHERE kept.event_id = e.event_id AND kept.received_at = e.received_at)
    FROM public.stripe_events e WHERE e.event_id = 'evt_1'`);
  const plan = JSON.stringify(rows[0]?.['QUERY PLAN']);
  const scanned = [
    ...plan.matchAll(/"Relation Name":"(stripe_event_payloads_\w+)"[^{}]*?"Actual Loops":(\d)/g),
  ];
  expect(scanned.filter(([, , loops]) => loops !== '0').map(([, name]) => name)).toEqual([
    `stripe_event_payloads_${present.replace('-', '_')}`,
  ]);
});

test('what both versions wrote is read alike: replay of one and of a window, and the search for users', async () => {
  await writeAsBefore('evt_before');
  await write(outcome('evt_now'));
  const window = { objectId: 'sub_1', from: null, to: null, after: null, limit: 10 };
  const found = await findLedgerEvents(database, window);
  expect(found.map(({ eventId, payload }) => [eventId, payload])).toEqual(
    ['evt_before', 'evt_now'].map((id) => [id, outcome(id).payload]),
  );
  await database.project.create({ data: { id: 'p', name: 'p' } });
  const user = await database.user.create({ data: { projectId: 'p', userId: 'u' } });
  await database.subscription.create({ data: { id: 'sub_2', status: 'active', userRef: user.id } });
  const invoice = { data: { object: { id: 'in_1', subscription: 'sub_2' } } };
  await write(outcome('evt_invoice', { objectId: 'in_1', payload: invoice }));
  const users = await findUsers(database, { query: 'in_1' }, by);
  expect(users).toMatchObject([{ userId: 'u', matched: 'invoice', matchedId: 'sub_2' }]);
});

test('one of many processes makes a month', async () => {
  const month = addMonths(present, 9);
  const made = await Promise.all(Array.from({ length: 5 }, () => makePayloadMonth(database, month)));
  expect(made.filter(Boolean)).toHaveLength(1);
});

test.each([0, -1, 3])(
  'a month that is not over for 31 days is not dropped: %i months from now',
  async (count) => {
    const month = addMonths(present, count);
    await expect(dropPayloadMonth(database, month)).rejects.toThrow('31 days');
    expect(await listPayloadMonths(database)).toContain(month);
  },
);

test('the functions give a role with lesser rights nothing but partitions', async () => {
  const [name, month] = [`lesser_${Date.now()}`, `${addMonths(present, 7)}-15`];
  const call = (verb: string, day: string) =>
    client.query(`SELECT public.${verb}_stripe_event_payloads_partition('${day}')`);
  await client.query(`CREATE ROLE ${name}; SET ROLE ${name}`);
  for (const verb of ['make', 'drop'])
    await expect(call(verb, month)).rejects.toMatchObject({ code: '42501' });
  await client.query(`RESET ROLE; GRANT EXECUTE ON FUNCTION public.make_stripe_event_payloads_partition(date),
    public.drop_stripe_event_payloads_partition(date) TO ${name}; SET ROLE ${name}`);
  await call('make', month);
  await call('make', '2019-02-28');
  await call('drop', '2019-02-01');
  for (const day of ['infinity', '-infinity', '0001-01-01', '9999-12-31'])
    await expect(call('make', day)).rejects.toMatchObject({ code: '22023' });
  await client.query(`RESET ROLE; DROP OWNED BY ${name}; DROP ROLE ${name}`);
  expect((await listPayloadMonths(database)).at(-1)).toBe(addMonths(present, 7));
});

const beginning = { receivedAt: new Date(0), eventId: '' };

test('payloads of the previous version are moved to their months; expired ones are removed', async () => {
  const keptSince = inMonth(-14);
  const ages = {
    evt_expired: keptSince - 1,
    evt_old: inMonth(-13),
    evt_new: Date.now(),
    evt_9999: Date.UTC(9999, 1),
  };
  for (const [id, at] of Object.entries(ages)) await writeAsBefore(id, at);
  await write(outcome('evt_now'));
  expect(await hasPayloadsToMove(database)).toBe(true);
  expect(await movePayloads(database, { after: beginning, keptSince })).toEqual({ moved: 4, after: null });
  expect(await hasPayloadsToMove(database)).toBe(false);
  expect(await keptMonths()).toEqual({
    [monthOf(ages.evt_old)]: ['evt_old'],
    [present]: ['evt_new', 'evt_now'],
  });
  expect(await payloadOf('evt_old')).toEqual(outcome('evt_old').payload);
});

test('payloads are moved page by page; a row that somebody writes is left for later', async () => {
  const now = Date.now();
  await client.query(
    `INSERT INTO public.stripe_events (event_id, type, status, created, received_at, processed_at, payload)
     SELECT 'evt_' || n, 'x', 'applied', now(), $1::timestamptz - make_interval(secs => n), now(), '{}'
     FROM generate_series(1, 700) n`,
    [new Date(now)],
  );
  await client.query(`BEGIN; SELECT FROM public.stripe_events WHERE event_id = 'evt_700' FOR UPDATE`);
  const first = await movePayloads(database, { after: beginning, keptSince: 0 });
  expect(first.moved).toBe(500);
  if (first.after === null) throw new Error('the first page is the last');
  expect(await movePayloads(database, { after: first.after, keptSince: 0 })).toEqual({
    moved: 199,
    after: null,
  });
  await client.query('COMMIT');
  expect(await movePayloads(database, { after: beginning, keptSince: 0 })).toEqual({ moved: 1, after: null });
  expect(await database.stripeEventPayload.count()).toBe(700);
});

test('payloads are erased wherever they are, and no others', async () => {
  await writeAsBefore('evt_before');
  await write(outcome('evt_now'), outcome('evt_other'));
  await database.$transaction((tx) => erasePayloads(tx, ['evt_before', 'evt_now', 'evt_none']));
  const left = await Promise.all(['evt_before', 'evt_now', 'evt_other'].map(payloadOf));
  expect(left).toEqual([null, null, outcome('evt_other').payload]);
  expect(await database.stripeEvent.count()).toBe(3);
});
