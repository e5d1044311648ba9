import { randomUUID } from 'node:crypto';
import { dayMs, toTimestamp } from '@billing/domain';
import { waitFor } from '@billing/testing';
import { startTestWorker } from './support/start-test-worker.test-support.ts';
import type { TestWorker } from './support/start-test-worker.test-support.ts';
import { startJourney } from './support/stripe-journey.test-support.ts';

let world: TestWorker;

beforeEach(async () => {
  world = await startTestWorker({ env: { EVENT_SWEEP_SECONDS: '1' } });
});
afterEach(() => world.close());

const sweep = () => world.database.eventSweep.findUniqueOrThrow({ where: { mode: 'test' } });

/** Another sweep has come to its end. */
async function swept(): Promise<void> {
  const { succeededAt } = await sweep();
  await waitFor(async () => Number((await sweep()).succeededAt) > Number(succeededAt), {
    what: 'a sweep',
    timeoutMs: 20_000,
  });
}

async function metric(): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${world.worker().port}/metrics`)).text();
  return Number(/^stripe_events_not_seen_seconds(?:{.*})? (.*)$/m.exec(text)?.[1]);
}

const reported = () =>
  world.logs
    .join('')
    .split('\n')
    .filter((line) => line.includes('"events_not_seen"')).length;

/** Asked for at the worker's own time: what a reconcile covers ends when it was requested. */
async function reconcile(since: number): Promise<void> {
  const runId = `run_${randomUUID()}`;
  const createdAt = new Date(Date.now() + world.clock.offsetMs);
  const params = { since: toTimestamp(since) };
  await world.database.run.create({
    data: { id: runId, kind: 'reconcile', requestedBy: 'tester', params, createdAt },
  });
  await waitFor(
    async () => (await world.database.run.findUniqueOrThrow({ where: { id: runId } })).status === 'done',
    { what: 'the run', timeoutMs: 20_000 },
  );
}

it('a sweep after more than 30 days says what it can no longer see, until a reconcile covers that time', async () => {
  const journey = await startJourney(world, 'subscription');
  await journey.pay();
  await waitFor(() => world.database.eventSweep.findFirst({ where: { sweptTo: { not: null } } }), {
    what: 'the first sweep',
    timeoutMs: 20_000,
  });
  await swept();
  expect([await metric(), reported()]).toEqual([0, 0]);
  await world.stopWorker();
  const sweptTo = Number((await sweep()).sweptTo);

  world.clock.offsetMs = 45 * dayMs;
  await world.startWorker();
  await swept();
  const { unseenFrom, unseenTo } = await sweep();
  expect(Number(unseenFrom)).toBe(sweptTo);
  const gapDays = (Number(unseenTo) - sweptTo) / dayMs;
  expect(gapDays).toBeGreaterThan(14.9);
  expect(gapDays).toBeLessThan(15.1);
  expect((await metric()) / 86_400).toBeCloseTo(gapDays, 1);
  const audited = () =>
    world.database.auditEntry.findMany({
      where: { action: 'events.not_seen' },
      include: { readable: true },
    });
  expect(await audited()).toMatchObject([
    {
      actor: 'sweep',
      targetType: 'event_sweep',
      readable: { details: { from: new Date(sweptTo).toISOString() } },
    },
  ]);
  await swept();
  expect([reported(), (await audited()).length]).toEqual([1, 1]);

  // Not far enough back.
  await reconcile(sweptTo + dayMs);
  expect(Number((await sweep()).unseenFrom)).toBe(sweptTo);
  await reconcile(sweptTo - dayMs);
  expect(await sweep()).toMatchObject({ unseenFrom: null, unseenTo: null });
  expect(await metric()).toBe(0);
}, 60_000);
