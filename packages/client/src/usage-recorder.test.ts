import { waitFor } from '@billing/testing';
import { createBillingClient } from './create-billing-client.ts';
import { startRunningApi } from './running-api.test-support.ts';
import type { RunningApi } from './running-api.test-support.ts';
import { cutOff, json, problem, startScriptedService } from './scripted-service.test-support.ts';
import type { ScriptedService, Step } from './scripted-service.test-support.ts';
import type { UsageEvent } from './usage-wire.ts';

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
const eventsOf = (body: string): UsageEvent[] => JSON.parse(body).events;
const idsOf = (body: string): string[] => eventsOf(body).map(({ event_id: id }) => id);
/** A service that stores all it gets. */
const storesAll: Step = (response, seen) => {
  const results = eventsOf(seen.body).map(({ event_id }) => ({ event_id, queued: true }));
  json({ results })(response, seen);
};

test('a recorder tells of what is refused, and stores the rest once', async () => {
  const refused: string[] = [];
  const recorder = client().createRecorder({
    onRefused: (event, error) => refused.push(`${event.event_id} ${error.code}`),
  });
  recorder.record({ ...ofAnn, event_id: 'r1' });
  recorder.record({ ...ofAnn, event_id: 'r2', feature_code: 'nothing' });
  recorder.record({ ...ofAnn, event_id: 'r1', timestamp: '2001-01-01T00:00:00Z' });
  expect(await recorder.close()).toEqual([]);
  expect(refused).toEqual(['r2 feature_not_metered', expect.stringMatching(/^r1 /)]);
  expect((await client().check('ann', 'api_calls')).balance?.used).toBe(1);
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
  const before = service.seen.length;
  recorder.record({ ...ofAnn, event_id: 'x' });
  expect(() => recorder.record(ofAnn)).toThrow('recorder_full');
  await expect(recorder.flush()).rejects.toMatchObject({ code: 'service_unavailable' });
  service.script(json({ results: [{ event_id: 'x', queued: true }] }));
  expect(await recorder.close()).toEqual([]);
  const bodies = service.seen.slice(before).map(({ body }) => body);
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
    const events = eventsOf(seen.body);
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

test('an event that makes the service refuse a whole batch is refused alone', async () => {
  const isPoison = ({ event_id: id }: UsageEvent): boolean => id === 'poison';
  service.script((response, seen) => {
    const events = eventsOf(seen.body);
    if (events.some(isPoison)) problem(events.length > 2 ? 413 : 400, 'invalid_request')(response, seen);
    else storesAll(response, seen);
  });
  const refused: string[] = [];
  const errors: unknown[] = [];
  const recorder = service.client().createRecorder({
    onRefused: ({ event_id: id }, { code }) => {
      refused.push(`${id} ${code}`);
      throw new Error('the callback fails');
    },
    onError: (error) => errors.push(error),
    intervalMs: 3_600_000,
  });
  const before = service.seen.length;
  const ids = Array.from({ length: 1_200 }, (_one, index) =>
    recorder.record({ ...ofAnn, event_id: index === 700 ? 'poison' : `ok_${index}` }),
  );
  await recorder.flush();
  expect(refused).toEqual(['poison invalid_request']);
  expect(errors).toMatchObject([{ message: 'the callback fails' }]);
  const stored = service.seen
    .slice(before)
    .map(({ body }) => idsOf(body))
    .filter((sent) => !sent.includes('poison'))
    .flat();
  expect(stored).toEqual(ids.filter((id) => id !== 'poison'));
  expect(await recorder.close()).toEqual([]);
});

test('a proxy that takes no long bodies gets shorter ones', async () => {
  service.script((response, seen) => {
    if (eventsOf(seen.body).length <= 10) return storesAll(response, seen);
    response.writeHead(413, { 'content-type': 'text/html' }).end('<html>too large</html>');
  });
  const recorder = service.client().createRecorder({ onRefused: () => {} });
  for (let count = 0; count < 40; count += 1) recorder.record(ofAnn);
  expect(await recorder.close()).toEqual([]);
});

test('what waits is sent in the background, and again until it is stored, at the time when it happened', async () => {
  const errors: unknown[] = [];
  service.script(problem(503, 'service_unavailable'), cutOff, problem(401, 'invalid_api_key'), storesAll);
  const recorder = service.client({ retries: 0 }).createRecorder({
    onRefused: () => {},
    onError: (error) => errors.push(error),
    intervalMs: 1,
  });
  const before = service.seen.length;
  const id = recorder.record(ofAnn);
  const bodies = await waitFor(
    () => {
      const sent = service.seen.slice(before).map(({ body }) => body);
      return Promise.resolve(sent.length >= 4 ? sent : null);
    },
    { what: 'four sendings' },
  );
  expect(new Set(bodies).size).toBe(1);
  expect(idsOf(bodies[0] ?? '')).toEqual([id]);
  expect(errors).toMatchObject([
    { code: 'service_unavailable' },
    { code: 'network_error' },
    { code: 'invalid_api_key' },
  ]);
  expect(await recorder.close()).toEqual([]);
  expect(service.seen).toHaveLength(before + 4);
});

test('flush sends what was recorded while another sending was under way', async () => {
  service.script(storesAll);
  const recorder = service.client().createRecorder({ onRefused: () => {}, intervalMs: 3_600_000 });
  recorder.record(ofAnn);
  const first = recorder.flush();
  const late = recorder.record(ofAnn);
  const before = service.seen.length;
  await Promise.all([first, recorder.flush(), recorder.flush()]);
  expect(service.seen.slice(before).flatMap(({ body }) => idsOf(body))).toContain(late);
  expect(await recorder.close()).toEqual([]);
});

const cyclic: Record<string, unknown> = {};
cyclic['self'] = cyclic;

test.each<[string, object]>([
  ['user_id', { user_id: '' }],
  ['user_id', { user_id: undefined }],
  ['user_id', { user_id: 'x'.repeat(257) }],
  ['event_id', { event_id: '' }],
  ['corrects', { corrects: '', quantity: -1 }],
  ['quantity', { quantity: 0 }],
  ['quantity', { quantity: Number.NaN }],
  ['quantity', { quantity: 1.5 }],
  ['quantity', { quantity: 1e12 + 1 }],
  ['quantity', { quantity: 1, corrects: 'e' }],
  ['timestamp', { timestamp: 'yesterday' }],
  ['properties', { properties: { text: 'ü'.repeat(1_100) } }],
  ['properties', { properties: { count: 1n } }],
  ['properties', { properties: cyclic }],
])('an event with a wrong %s is refused before it holds up others: %p', (path, fields) => {
  const recorder = service.client().createRecorder({ onRefused: () => {} });
  expect(() => recorder.record({ ...ofAnn, ...fields })).toThrow(
    expect.objectContaining({ code: 'invalid_request', errors: [expect.objectContaining({ path })] }),
  );
});

test('what its caller changes later is sent as it was recorded', async () => {
  service.script(storesAll);
  const recorder = service.client().createRecorder({ onRefused: () => {} });
  const usage = { ...ofAnn, event_id: 'kept', properties: { step: 1 } };
  recorder.record(usage);
  usage.properties.step = 2;
  const before = service.seen.length;
  await recorder.flush();
  expect(eventsOf(service.seen[before]?.body ?? '')).toMatchObject([
    { properties: { step: 1 }, mode: 'record' },
  ]);
  await recorder.close();
});

test.each([{ intervalMs: 0 }, { maxPending: 0 }, { maxPending: 1.5 }, { onRefused: undefined }])(
  'the options %p are refused',
  (options) => {
    const wrong = Object.assign({ onRefused: () => {} }, options);
    expect(() => service.client().createRecorder(wrong)).toThrow(TypeError);
  },
);
