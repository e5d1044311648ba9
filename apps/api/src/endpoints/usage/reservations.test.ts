import { randomUUID } from 'node:crypto';
import { startUsageApi } from './usage-api.test-support.ts';
import type { UsageApi } from './usage-api.test-support.ts';

let api: UsageApi['api'];
let call: UsageApi['call'];
let check: UsageApi['check'];
let userWith: UsageApi['userWith'];
let close: () => Promise<void>;

beforeAll(async () => {
  const started = await startUsageApi();
  ({ api, call, check, userWith } = started);
  close = () => started.api.close();
});
afterAll(() => close());

describe('reservations', () => {
  const reserve = (userId: string, fields: object = {}) =>
    call('post', '/api/v1/usage/reservations').send({
      reservation_id: randomUUID(),
      user_id: userId,
      feature_code: 'calls',
      quantity: 6,
      ...fields,
    });
  const end = (id: string, verb: 'confirm' | 'release', body: object = {}) =>
    call('post', `/api/v1/usage/reservations/${id}/${verb}`).send(body);
  const get = (id: string) => call('get', `/api/v1/usage/reservations/${id}`);

  test('hold, confirm a part, and release', async () => {
    const userId = await userWith(10);
    const held = await reserve(userId);
    expect(held.body).toMatchObject({ state: 'held', allowed: true, balance: { held: 6, remaining: 4 } });
    const denied = await reserve(userId);
    expect(denied.body).toMatchObject({ state: 'denied', allowed: false, reason: 'insufficient_balance' });
    expect((await get(denied.body.reservation_id)).body.code).toBe('reservation_not_found');
    const id = held.body.reservation_id;
    expect((await get(id)).body).toMatchObject({ state: 'held', quantity: 6 });
    const confirmed = await end(id, 'confirm', { quantity: 5 });
    expect(confirmed.body).toMatchObject({
      state: 'confirmed',
      quantity: 5,
      late: false,
      balance: { used: 5, held: 0 },
    });
    expect((await end(id, 'confirm', { quantity: 5 })).body).toEqual(confirmed.body);
    const closed = await end(id, 'release');
    expect([closed.status, closed.body.code]).toEqual([409, 'reservation_closed']);
    const second = await reserve(userId, { quantity: 5 });
    expect((await end(second.body.reservation_id, 'release')).body).toMatchObject({
      state: 'released',
      balance: { used: 5, held: 0, remaining: 5 },
    });
  });

  test('the same id again, and with another body', async () => {
    const userId = await userWith(10);
    const id = randomUUID();
    const first = await reserve(userId, { reservation_id: id });
    expect((await reserve(userId, { reservation_id: id })).body).toEqual(first.body);
    const other = await reserve(userId, { reservation_id: id, quantity: 1 });
    expect([other.status, other.body.code]).toEqual([409, 'reservation_conflict']);
    const more = await end(id, 'confirm', { quantity: 11, overrun: 'deny' });
    expect([more.status, more.body.code]).toEqual([409, 'insufficient_balance']);
    expect((await get(id)).body.state).toBe('held');
    expect((await end('nothing', 'confirm')).body.code).toBe('reservation_not_found');
    const seats = await reserve(await userWith(5, 'seats'), { feature_code: 'seats' });
    expect([seats.status, seats.body.code]).toEqual([400, 'feature_not_metered']);
  });

  test('expiry is decided by the clock: released, or charged, and confirmed late', async () => {
    const userId = await userWith(10);
    const [freed, charged] = await Promise.all([
      reserve(userId, { quantity: 2, expires_in_seconds: 60 }),
      reserve(userId, { quantity: 3, expires_in_seconds: 60, on_expiry: 'charge' }),
    ]);
    api.clock.advance(61_000);
    expect((await check({ user_id: userId, feature_code: 'calls' })).body.balance).toMatchObject({
      used: 3,
      held: 0,
    });
    expect((await get(freed.body.reservation_id)).body.state).toBe('expired');
    expect((await get(charged.body.reservation_id)).body.state).toBe('charged');
    expect((await end(charged.body.reservation_id, 'confirm', { quantity: 1 })).body).toMatchObject({
      state: 'confirmed',
      late: true,
      balance: { used: 1 },
    });
    expect((await end(freed.body.reservation_id, 'confirm')).body).toMatchObject({
      late: true,
      balance: { used: 3 },
    });
  });
});
