import type { CheckOut, ReservationOut, UsageOut } from '@billing/domain';
import type { Reservation, UsageCheck, UsageEvent, UsageResult } from './usage-wire.ts';
import { cutOff, json, problem, startScriptedService } from './scripted-service.test-support.ts';
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

test('a recorder tells of what is refused, and stores the rest once', async () => {
  const refused: string[] = [];
  const recorder = client().createRecorder({
    onRefused: (event, error) => refused.push(`${event.event_id} ${error.code}`),
  });
  recorder.record({ ...ofAnn, event_id: 'r1' });
  recorder.record({ ...ofAnn, event_id: 'r2', quantity: 0 });
  recorder.record({ ...ofAnn, event_id: 'r1', timestamp: '2001-01-01T00:00:00Z' });
  expect(await recorder.close()).toEqual([]);
  expect(refused).toEqual(['r2 invalid_request', expect.stringMatching(/^r1 /)]);
});

test('a batch whose answer was lost is sent again as it was, and is kept while the service is away', async () => {
  const recorder = service.client({ retries: 1 }).createRecorder({
    onRefused: () => {
      throw new Error('nothing is refused');
    },
    intervalMs: 3_600_000,
    maxPending: 1,
  });
  service.script(cutOff, problem(503, 'service_unavailable'));
  recorder.record({ ...ofAnn, event_id: 'x' });
  expect(() => recorder.record(ofAnn)).toThrow('recorder_full');
  await expect(recorder.flush()).rejects.toMatchObject({ code: 'service_unavailable' });
  service.script(json({ results: [{ event_id: 'x', queued: true }] }));
  expect(await recorder.close()).toEqual([]);
  const bodies = service.seen.map(({ body }) => body);
  expect(bodies).toHaveLength(3);
  expect(new Set(bodies).size).toBe(1);
  expect(() => recorder.record(ofAnn)).toThrow('recorder_closed');
});

test('what could not be sent is returned at the end', async () => {
  const recorder = service.client({ retries: 0 }).createRecorder({ onRefused: () => {} });
  service.script(problem(503, 'service_unavailable'));
  const event: Partial<UsageEvent> = { event_id: recorder.record(ofAnn) };
  expect(await recorder.close()).toMatchObject([event]);
});

test('an event that fails by itself holds up no other, and is kept', async () => {
  const sent: string[][] = [];
  service.script((response, seen) => {
    const { events }: { events: UsageEvent[] } = JSON.parse(seen.body);
    sent.push(events.map(({ event_id: id }) => id));
    const results = events.map(({ event_id }) =>
      event_id === 'poison'
        ? { event_id, error: { code: 'internal_error', detail: 'It failed.' } }
        : { event_id, queued: true },
    );
    json({ results })(response, seen);
  });
  const recorder = service.client().createRecorder({ onRefused: () => {}, intervalMs: 3_600_000 });
  recorder.record({ ...ofAnn, event_id: 'poison' });
  const others = Array.from({ length: 600 }, () => recorder.record(ofAnn));
  await expect(recorder.flush()).rejects.toMatchObject({ code: 'usage_unavailable' });
  expect(sent).toEqual([['poison', ...others.slice(0, 499)], others.slice(499)]);
  expect(await recorder.close()).toMatchObject([{ event_id: 'poison' }]);
  expect(sent.slice(2)).toEqual([['poison']]);
});
