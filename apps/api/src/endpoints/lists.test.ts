import { createHash } from 'node:crypto';
import { waitFor } from '@billing/testing';
import { endpoints } from '../app.ts';
import { accessKindOf } from '../http/define-endpoint.ts';
import { startCommerce, uniqueId } from '../testing/start-commerce.test-support.ts';
import type { Commerce } from '../testing/start-commerce.test-support.ts';

test('every list of administrators may come from a replica, but that of who is signed in', () => {
  const lists = endpoints.filter(
    (one) => accessKindOf(one) === 'admin' && one.query !== undefined && 'cursor' in one.query.shape,
  );
  expect(lists.length).toBeGreaterThan(15);
  const ofPrimary = lists.filter(({ readsReplica }) => readsReplica !== true);
  expect(ofPrimary.map(({ operationId }) => operationId)).toEqual(['listSessions']);
});

let commerce: Commerce;
const projectId = uniqueId('listed');

const noon = Date.parse('2026-11-22T12:00:00.000Z');
const minute = (count: number): Date => new Date(noon + count * 60_000);

/** In the order of their ids, which is not the one in which they are listed: newest first. */
const events = [
  { eventId: 'evt_1', status: 'applied', type: 'invoice.paid', processedAt: minute(1) },
  { eventId: 'evt_2', status: 'applied', type: 'charge.refunded', processedAt: minute(2) },
  { eventId: 'evt_3', status: 'stale', type: 'invoice.paid', processedAt: minute(1) },
  { eventId: 'evt_4', status: 'ignored', type: 'invoice.paid', processedAt: minute(1) },
  { eventId: 'evt_5', status: 'quarantined', type: 'charge.refunded', processedAt: minute(0) },
  { eventId: 'evt_6', status: 'failed', type: 'customer.deleted', processedAt: minute(0) },
];
const audit = [
  { targetType: 'price', targetId: 'first', at: minute(0) },
  { targetType: 'product', targetId: 'second', at: minute(1) },
  { targetType: 'price', targetId: 'third', at: minute(2) },
];
/** Three with the same time, as a page may end between them. */
const keys = [
  { id: 'key_c', createdAt: minute(0) },
  { id: 'key_a', createdAt: minute(1) },
  { id: 'key_b', createdAt: minute(1) },
  { id: 'key_d', createdAt: minute(1) },
  { id: 'key_e', createdAt: minute(2) },
];
/** Made with no key. */
const digestOf = (id: string) => new Uint8Array(createHash('sha256').update(id).digest());

const prices = ['a', 'b', 'c', 'd', 'e'];

beforeAll(async () => {
  commerce = await startCommerce();
  const { database } = commerce.deps;
  await database.project.create({ data: { id: projectId, name: 'Listed' } });
  await database.stripeEvent.createMany({
    data: events.map((row) => ({
      ...row,
      reason: row.status === 'applied' ? null : 'of_the_test',
      created: minute(0),
      receivedAt: minute(0),
      payload: {},
    })),
  });
  for (const row of audit)
    await database.$executeRaw`
      INSERT INTO public.audit_log (at, actor, action, target_type, target_id)
      VALUES (${row.at}, 'tester', 'of.the.test', ${row.targetType}, ${row.targetId})`;
  await database.apiKey.createMany({
    data: keys.map((row) => ({ ...row, projectId, prefix: 'proj_', digest: digestOf(row.id) })),
  });
  await database.product.create({ data: { projectId, productId: 'p', name: 'P', featureCodes: [] } });
  await database.price.createMany({
    data: prices.toReversed().map((priceId) => ({
      projectId,
      priceId,
      productId: 'p',
      stripePriceId: `price_${priceId}`,
      amount: 1n,
      currency: 'usd',
      interval: 'month',
    })),
  });
});
afterAll(() => commerce.close());

type Row = Record<string, unknown>;

async function list(path: string): Promise<{ rows: Row[]; cursor: string | null }> {
  const { body } = await commerce.admin('get', path).expect(200);
  return { rows: body.data, cursor: body.next_cursor };
}

test.each([
  ['status=applied', ['evt_2', 'evt_1']],
  ['status=stale', ['evt_3']],
  ['status=ignored', ['evt_4']],
  ['status=quarantined', ['evt_5']],
  ['status=failed', ['evt_6']],
  ['type=invoice.paid', ['evt_4', 'evt_3', 'evt_1']],
  ['type=charge.refunded', ['evt_2', 'evt_5']],
  ['type=invoice', []],
  ['status=applied&type=invoice.paid', ['evt_1']],
  ['status=failed&type=invoice.paid', []],
  ['', ['evt_2', 'evt_4', 'evt_3', 'evt_1', 'evt_6', 'evt_5']],
])('events?%s: those, newest first', async (query, expected) => {
  const { rows, cursor } = await list(`/events?${query}`);
  expect([rows.map((row) => row['event_id']), cursor]).toEqual([expected, null]);
});

test.each([
  ['target_type=price', ['third', 'first']],
  ['target_type=product', ['second']],
  ['target_type=grant', []],
  ['from=2026-11-22T12:01:00Z', ['third', 'second']],
  ['from=2026-11-22T12:01:00.001Z', ['third']],
  ['to=2026-11-22T12:01:00Z', ['second', 'first']],
  ['to=2026-11-22T12:00:59.999Z', ['first']],
  ['from=2026-11-22T12:01:00Z&to=2026-11-22T12:01:00Z', ['second']],
  ['from=2026-11-22T14:01:00%2B02:00&to=2026-11-22T07:01:00-05:00', ['second']],
  ['from=2026-11-22T12:02:00Z&to=2026-11-22T12:00:00Z', []],
  ['target_type=price&from=2026-11-22T12:01:00Z', ['third']],
  ['target_type=price&from=2026-11-22T12:00:00Z&to=2026-11-22T12:02:00Z', ['third', 'first']],
  ['', ['third', 'second', 'first']],
])('audit?%s: those, newest first; both ends of a window count', async (query, expected) => {
  const { rows, cursor } = await list(`/audit?${query}`);
  expect([rows.map((row) => row['target_id']), cursor]).toEqual([expected, null]);
});

test.each([
  ['prices', `/projects/${projectId}/prices`, 'price_id', prices],
  ['API keys', `/projects/${projectId}/api-keys`, 'key_id', ['key_c', 'key_a', 'key_b', 'key_d', 'key_e']],
  ['events', '/events', 'event_id', ['evt_2', 'evt_4', 'evt_3', 'evt_1', 'evt_6', 'evt_5']],
  ['events of a type', '/events?type=invoice.paid', 'event_id', ['evt_4', 'evt_3', 'evt_1']],
  ['audit log', '/audit', 'target_id', ['third', 'second', 'first']],
])('pages of %s make the whole list, each row once', async (_what, path, id, expected) => {
  for (const limit of [1, 2, expected.length]) {
    const pages: unknown[][] = [];
    let cursor: string | null = '';
    while (cursor !== null && pages.length <= expected.length) {
      const from: string = cursor === '' ? '' : `&cursor=${cursor}`;
      const page = await list(`${path}${path.includes('?') ? '&' : '?'}limit=${limit}${from}`);
      pages.push(page.rows.map((row) => row[id]));
      cursor = page.cursor;
    }
    expect(pages.flat()).toEqual(expected);
    expect(pages).toHaveLength(Math.ceil(expected.length / limit));
  }
});

test('an API key is listed with the time of its last use', async () => {
  const { projectId: used } = await commerce.createProject();
  const { keyId, apiKey } = await commerce.createApiKey(used);
  const lastUse = async (): Promise<unknown> => {
    const { rows } = await list(`/projects/${used}/api-keys`);
    return rows.find((row) => row['key_id'] === keyId)?.['last_used_at'];
  };
  expect(await lastUse()).toBeNull();
  const before = commerce.deps.clock();
  await commerce
    .http()
    .get('/api/v1/entitlements?user_id=u')
    .set('authorization', `Bearer ${apiKey}`)
    .expect(200);
  // It is written after the answer is sent.
  const at = Date.parse(String(await waitFor(lastUse, { what: 'the time of its last use' })));
  expect(at).toBeGreaterThanOrEqual(before);
  expect(at).toBeLessThanOrEqual(commerce.deps.clock());
});
