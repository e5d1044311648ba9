import type { CheckOut, ReservationOut, UsageOut } from '@billing/domain';
import type { Balance, Reservation, UsageCheck, UsageResult } from './usage-wire.ts';
import { json, startScriptedService } from './scripted-service.test-support.ts';
import type { ScriptedService } from './scripted-service.test-support.ts';
import { startRunningApi } from './running-api.test-support.ts';
import type { RunningApi } from './running-api.test-support.ts';
import { createBillingClient } from './create-billing-client.ts';

type Same<A, B> = [A, B] extends [B, A] ? true : false;
const sameTypes: [
  Same<UsageCheck, CheckOut>,
  Same<UsageResult, UsageOut>,
  Same<Reservation, ReservationOut>,
] = [true, true, true];

let api: RunningApi;
let service: ScriptedService;
beforeAll(async () => {
  api = await startRunningApi();
  await api.giveMetered('ann', { featureCode: 'api_calls', amount: 10 });
  service = await startScriptedService();
}, 60_000);
afterAll(async () => {
  await api.stop();
  await service.stop();
});

const client = () => createBillingClient({ baseUrl: api.url, apiKey: api.apiKey });
const ofAnn = { user_id: 'ann', feature_code: 'api_calls' };

test('what is taken, held and refused is as the service says', async () => {
  expect(sameTypes).not.toContain(false);
  const billing = client();
  expect(await billing.check('ann', 'api_calls')).toMatchObject({
    allowed: true,
    balance: { remaining: 10 },
  });
  const taken = { ...ofAnn, event_id: 'a', quantity: 4 };
  expect(await billing.use(taken)).toMatchObject({ recorded: true, duplicate: false });
  expect(await billing.use(taken)).toMatchObject({ recorded: true, duplicate: true });
  expect(await billing.use({ ...ofAnn, event_id: 'b', quantity: 7 })).toMatchObject({ recorded: false });
  const held = await billing.reserve({ ...ofAnn, reservation_id: 'job/1', quantity: 5 });
  expect(held).toMatchObject({ state: 'held', balance: { held: 5, remaining: 1 } });
  expect(await billing.confirm('job/1', { quantity: 2 })).toMatchObject({ state: 'confirmed', quantity: 2 });
  await billing.reserve({ ...ofAnn, reservation_id: 'job2', quantity: 4 });
  expect(await billing.release('job2')).toMatchObject({ state: 'released' });
  const [one, none] = await billing.checkBatch({ user_ids: ['ann', 'bob'], feature_code: 'api_calls' });
  expect([one?.balance?.remaining, none?.reason]).toEqual([4, 'not_entitled']);
  const { entitlements } = await billing.entitlements('ann', { usage: true });
  expect(entitlements[0]?.balance?.used).toBe(6);
});

test('what is needed, and how new the answer is, are asked for', async () => {
  await api.giveMetered('eve', { featureCode: 'api_calls', amount: 10 });
  const { usage_seq: seq } = stored(
    await client().use({ user_id: 'eve', feature_code: 'api_calls', event_id: 'eve_1', quantity: 4 }),
  );
  const needed = { required: 7, minUsageSeq: seq };
  expect(await client().check('eve', 'api_calls', needed)).toMatchObject({
    required: 7,
    allowed: false,
    usage_seq: seq,
  });
  const codes = await client().checkBatch({ user_id: 'eve', feature_codes: ['nothing', 'api_calls'] });
  expect(codes.map((one) => one.feature_code)).toEqual(['nothing', 'api_calls']);
});

function stored(answer: Awaited<ReturnType<ReturnType<typeof client>['use']>>): UsageResult {
  if ('queued' in answer) throw new Error('it is only queued');
  return answer;
}

test('a level is set', async () => {
  await api.giveSeats('ann', 3);
  const level = { user_id: 'ann', feature_code: 'seats', observed_at: new Date().toISOString() };
  expect(await client().setLevel({ ...level, level: 2, event_id: 'l1' })).toMatchObject({
    recorded: true,
    balance: { used: 2, remaining: 1 },
  });
});

const balance: Balance = {
  granted: 1,
  used: 0,
  held: 0,
  remaining: 1,
  overage: 0,
  overage_limit: 0,
  unlimited: false,
  resets_at: null,
  next_expiry: null,
  buckets: [],
};
const checked: UsageCheck = {
  user_id: 'ann',
  project_id: 'p',
  feature_code: 'api_calls',
  kind: 'metered',
  allowed: true,
  reason: 'within_allowance',
  required: 1,
  limit: null,
  value: null,
  balance,
  version: 1,
  usage_seq: 0,
  as_of: '2026-11-22T10:00:00.000Z',
  valid_until: null,
  checked_at: '2026-11-22T10:00:00.000Z',
};
const held: Reservation = {
  reservation_id: 'job',
  allowed: true,
  reason: 'within_allowance',
  state: 'held',
  quantity: 1,
  expires_at: '2026-11-22T10:00:00.000Z',
  late: false,
  balance,
  usage_seq: 1,
};
const used: UsageResult = {
  event_id: 'a',
  recorded: true,
  duplicate: false,
  allowed: true,
  reason: 'within_allowance',
  quantity: 1,
  balance,
  usage_seq: 1,
};
type Client = ReturnType<typeof client>;
const use = (billing: Client) => billing.use({ ...ofAnn, event_id: 'a' });
const check = (billing: Client) => billing.check('ann', 'api_calls');
const checkTwo = (billing: Client) =>
  billing.checkBatch({ user_id: 'ann', feature_codes: ['api_calls', 'b'] });
const level = { ...ofAnn, level: 1, observed_at: '2026-11-22T10:00:00.000Z', event_id: 'a' };

test.each<[string, unknown, (billing: Client) => Promise<unknown>]>([
  ['a check of another user', { ...checked, user_id: 'bob' }, check],
  ['a check of another feature', { ...checked, feature_code: 'seats' }, check],
  ['a check without its balance', { ...checked, balance: undefined }, check],
  ['one check of two', { results: [checked] }, checkTwo],
  ['checks in another order', { results: [{ ...checked, feature_code: 'b' }, checked] }, checkTwo],
  ['another event', { ...used, event_id: 'b' }, use],
  ['another event that is queued', { event_id: 'b', queued: true }, use],
  ['half of an event', { event_id: 'a', recorded: true }, use],
  ['another level', { ...used, event_id: 'b' }, (billing) => billing.setLevel(level)],
  [
    'another reservation',
    held,
    (billing) => billing.reserve({ ...ofAnn, reservation_id: 'job2', quantity: 1 }),
  ],
  ['another reservation that is confirmed', held, (billing) => billing.confirm('job2')],
  [
    'one result of two',
    { results: [used] },
    (billing) =>
      billing.useBatch([
        { ...ofAnn, event_id: 'a' },
        { ...ofAnn, event_id: 'b' },
      ]),
  ],
])('an answer with %s is refused', async (_what, answer, ask) => {
  service.script(json(answer));
  await expect(ask(service.client({ retries: 0 }))).rejects.toMatchObject({ code: 'invalid_response' });
});

test('what is queued while the database is away is told apart', async () => {
  service.script(json({ event_id: 'a', queued: true }, 202));
  expect(await service.client().use({ ...ofAnn, event_id: 'a', mode: 'record' })).toEqual({
    event_id: 'a',
    queued: true,
  });
});

// A caller without types may leave one out.
const missing: string = JSON.parse('{"id":""}').id;

test.each<[string, string, (billing: Client) => Promise<unknown>]>([
  ['check', 'user_id', (billing) => billing.check(missing, 'api_calls')],
  ['check', 'feature_code', (billing) => billing.check('ann', missing)],
  [
    'checkBatch',
    'user_ids.1',
    (billing) => billing.checkBatch({ user_ids: ['a', missing], feature_code: 'api_calls' }),
  ],
  [
    'checkBatch',
    'feature_codes.0',
    (billing) => billing.checkBatch({ user_id: 'a', feature_codes: [missing] }),
  ],
  ['use', 'event_id', (billing) => billing.use({ ...ofAnn, event_id: missing })],
  ['setLevel', 'user_id', (billing) => billing.setLevel({ ...level, user_id: missing })],
  [
    'reserve',
    'reservation_id',
    (billing) => billing.reserve({ ...ofAnn, reservation_id: missing, quantity: 1 }),
  ],
  [
    'reserve',
    'reservation_id',
    (billing) => billing.reserve({ ...ofAnn, reservation_id: '..', quantity: 1 }),
  ],
  ['confirm', 'reservation_id', (billing) => billing.confirm('..')],
  ['confirm', 'reservation_id', (billing) => billing.confirm('\ud800')],
  ['release', 'reservation_id', (billing) => billing.release(missing)],
])('%s is not sent without a right %s', async (_call, path, ask) => {
  const before = service.seen.length;
  await expect(ask(service.client())).rejects.toMatchObject({
    code: 'invalid_request',
    status: null,
    errors: [{ path }],
  });
  expect(service.seen).toHaveLength(before);
});
