import { claimRun, endRun } from '@billing/store';
import { waitFor } from '@billing/testing';
import { startCommerce, uniqueId } from '../../testing/start-commerce.test-support.ts';
import type { Commerce } from '../../testing/start-commerce.test-support.ts';

let commerce: Commerce;

beforeAll(async () => {
  commerce = await startCommerce();
});
afterAll(() => commerce.close());

const admin: Commerce['admin'] = (...call) => commerce.admin(...call);

async function recordEvent(): Promise<string> {
  const eventId = uniqueId('evt');
  await commerce.deps.database.stripeEvent.create({
    data: {
      eventId,
      type: 'customer.updated',
      status: 'ignored',
      reason: 'no_effect',
      created: new Date(),
      receivedAt: new Date(),
      payload: {},
    },
  });
  return eventId;
}

test('a reconcile run is requested, announced to the workers, audited and read', async () => {
  const { body } = await admin('post', '/reconcile', { dry_run: true }).expect(202);
  expect(Object.keys(body)).toEqual(['run_id']);
  const runId: string = body.run_id;
  expect((await admin('post', '/reconcile', { dry_run: true }).expect(202)).body).toEqual({ run_id: runId });
  expect((await admin('post', '/reconcile').expect(202)).body.run_id).not.toBe(runId);
  const job = await commerce.deps.maintenance.bull.getJob(runId);
  expect([job?.name, job?.data]).toEqual(['reconcile', { run_id: runId }]);
  const run = await admin('get', `/reconcile/${runId}`).expect(200);
  expect(run.body).toMatchObject({
    run_id: runId,
    status: 'running',
    dry_run: true,
    progress: { phase: 'queued', objects: 0 },
    result: null,
    requested_by: 'tester',
  });
  const audit = await admin('get', `/audit?target_id=${runId}`).expect(200);
  expect(audit.body.data[0]).toMatchObject({ action: 'reconcile.request', details: { dry_run: true } });
});

test('since: kept with the run, another since is another run, and bad ones are refused', async () => {
  const since = '2026-01-01T00:00:00+02:00';
  const { body } = await admin('post', '/reconcile', { since }).expect(202);
  const { database } = commerce.deps;
  const run = await database.run.findUniqueOrThrow({ where: { id: body.run_id } });
  expect(run.params).toEqual({ since: '2025-12-31T22:00:00.000Z' });
  expect((await admin('post', '/reconcile', { since }).expect(202)).body).toEqual(body);
  const other = await admin('post', '/reconcile', { since: '2026-01-01T00:00:00Z' }).expect(202);
  expect(other.body.run_id).not.toBe(body.run_id);
  const runs = await database.run.count();
  const future = new Date(commerce.deps.clock() + 3_600_000).toISOString();
  for (const bad of ['yesterday', '2026-01-01', '2026-01-01T00:00:00', 1_767_222_000, null, future]) {
    const answer = await admin('post', '/reconcile', { since: bad }).expect(400);
    expect(answer.body).toMatchObject({ code: 'invalid_request', errors: [{ path: 'since' }] });
  }
  expect(await database.run.count()).toBe(runs);
});

test('invalid requests are refused', async () => {
  await admin('get', '/reconcile/run_none').expect(404);
  expect((await admin('post', '/reconcile', { project_id: 'nowhere' }).expect(404)).body.code).toBe(
    'project_not_found',
  );
  expect((await admin('post', '/events/evt_none/replay', {}).expect(404)).body.code).toBe('event_not_found');
  await admin('post', '/reconcile', { dry_run: 'yes' }).expect(400);
  await admin('post', '/events/replay', { from: '2026-02-01T00:00:00Z', to: '2026-01-01T00:00:00Z' }).expect(
    400,
  );
  expect((await admin('get', '/events/evt_x/replay').expect(405)).headers['allow']).toBe('POST');
});

/** The run of a replay, taken as a worker does. */
async function takeReplay(eventId: string): Promise<string> {
  const { database } = commerce.deps;
  const { id: runId } = await waitFor(
    () =>
      database.run.findFirst({
        where: { kind: 'replay_event', params: { path: ['event_id'], equals: eventId } },
      }),
    { what: 'the run' },
  );
  await claimRun(database, { runId, workerId: 'worker' });
  return runId;
}

/** What the audit log says why, of all that was done to it. */
async function reasonsOf(type: string, id: string): Promise<string[]> {
  const { body } = await admin('get', `/audit?target_type=${type}&target_id=${id}`).expect(200);
  return body.data.map(({ reason }: { reason: string }) => reason);
}

test.each([
  { error: 'payload_expired', status: 409, code: 'payload_expired' },
  { error: 'stripe_unavailable', status: 503, code: 'stripe_unavailable' },
  { error: 'the event is gone', status: 503, code: 'service_unavailable' },
])('a replay that the worker ends with "$error" is $status $code', async ({ error, status, code }) => {
  const eventId = await recordEvent();
  const answer = admin('post', `/events/${eventId}/replay`, {}).then((response) => response);
  const runId = await takeReplay(eventId);
  await endRun(commerce.deps.database, { runId, workerId: 'worker', status: 'failed', error });
  const { body, headers, ...answered } = await answer;
  expect([answered.status, body.code]).toEqual([status, code]);
  expect(headers['retry-after']).toBe(status === 503 ? '5' : undefined);
});

test('a replay answers with what the worker found', async () => {
  const eventId = await recordEvent();
  const { database } = commerce.deps;
  const order = { dry_run: true, reason: 'Case 4711' };
  const answer = admin('post', `/events/${eventId}/replay`, order).then((response) => response);
  const runId = await takeReplay(eventId);
  const result = { event_id: eventId, dry_run: true, outcome: 'stale', reason: null, changes: [] };
  await endRun(database, { runId, workerId: 'worker', status: 'done', result });
  const { status, body } = await answer;
  expect([status, body]).toEqual([200, result]);
  // Among the runs it is a replay like any other.
  const run = await admin('get', `/runs/${runId}`).expect(200);
  expect(run.body).toMatchObject({ kind: 'replay', status: 'done', dry_run: true, result });
  const { body: replays } = await admin('get', '/runs?kind=replay').expect(200);
  expect(replays.data).toContainEqual(run.body);
  expect(await reasonsOf('event', eventId)).toEqual(['Case 4711']);
});

test('without a worker a replay is 503, and is not done later', async () => {
  const eventId = await recordEvent();
  const { body, headers } = await admin('post', `/events/${eventId}/replay`, {}).expect(503);
  expect(body.code).toBe('service_unavailable');
  expect(headers['retry-after']).toBeDefined();
  const { database } = commerce.deps;
  const run = await database.run.findFirstOrThrow({
    where: { kind: 'replay_event', params: { path: ['event_id'], equals: eventId } },
  });
  expect(run.status).toBe('failed');
}, 30_000);

test('events of an object or a window are replayed as a run', async () => {
  const order = { object_id: 'sub_1', dry_run: true, reason: 'Case 4712' };
  const { body } = await admin('post', '/events/replay', order).expect(202);
  const run = await admin('get', `/reconcile/${String(body.run_id)}`).expect(200);
  expect(run.body).toMatchObject({ kind: 'replay', status: 'running', dry_run: true });
  expect(await reasonsOf('run', String(body.run_id))).toEqual(['Case 4712']);
});
