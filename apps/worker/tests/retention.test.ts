import { dayMs } from '@billing/domain';
import { waitFor } from '@billing/testing';
import { startRetention } from './support/retention-world.test-support.ts';
import { uniqueId } from './support/start-test-worker.test-support.ts';
import type { TestWorker } from './support/start-test-worker.test-support.ts';

const keptDays = 40;
let world: TestWorker;
let retention: Awaited<ReturnType<typeof startRetention>>;

beforeAll(async () => {
  retention = await startRetention({ EVENT_RETENTION_DAYS: String(keptDays) });
  ({ world } = retention);
});
afterAll(() => retention.close());

const daysAgo = (days: number): Date => new Date(Date.now() - days * dayMs);

async function record(count: number, row: { status: string; processedAt: Date }): Promise<string[]> {
  const ids = Array.from({ length: count }, () => uniqueId('evt'));
  await world.database.stripeEvent.createMany({
    data: ids.map((eventId) => ({
      eventId,
      type: 'customer.subscription.updated',
      created: row.processedAt,
      receivedAt: row.processedAt,
      payload: {},
      // The ledger says why nothing was done.
      reason: ['applied', 'stale'].includes(row.status) ? null : 'unhandled_type',
      ...row,
    })),
  });
  return ids;
}

async function kept(ids: string[]): Promise<number> {
  return world.database.stripeEvent.count({ where: { eventId: { in: ids } } });
}

it.each<[status: string, age: number, isKept: boolean]>([
  ['applied', keptDays + 1, false],
  ['stale', keptDays + 1, false],
  ['ignored', keptDays + 1, false],
  ['quarantined', keptDays + 1, true],
  ['failed', keptDays + 1, true],
  ['applied', keptDays - 1, true],
  ['ignored', keptDays - 1, true],
])('an event that was %s %i days ago: kept %s', async (status, age, isKept) => {
  const ids = await record(2, { status, processedAt: daysAgo(age) });
  await retention.run();
  expect(await kept(ids)).toBe(isKept ? 2 : 0);
});

it('samples go after two days, sessions of the console once they have ended', async () => {
  const { consoleSession, sample } = world.database;
  const [old, recent] = [daysAgo(3), daysAgo(1)];
  await sample.createMany({ data: [{ at: old }, { at: recent }] });
  const session = (id: string, lastUsedAt: Date, expiresAt: Date) => ({
    id,
    digest: new TextEncoder().encode(id),
    name: 'alice',
    lastUsedAt,
    expiresAt,
  });
  await consoleSession.createMany({
    data: [
      session('idle', new Date(Date.now() - 31 * 60_000), daysAgo(-1)),
      session('expired', new Date(), new Date(Date.now() - 1)),
      session('live', new Date(), daysAgo(-1)),
    ],
  });
  await retention.run();
  expect(await consoleSession.findMany({ select: { id: true } })).toEqual([{ id: 'live' }]);
  const left = await sample.findMany({ where: { at: { in: [old, recent] } }, select: { at: true } });
  expect(left).toEqual([{ at: recent }]);
});

it('deletes more than one statement takes, and counts and logs it', async () => {
  const ids = await record(4_500, { status: 'applied', processedAt: daysAgo(keptDays + 100) });
  await retention.run();
  expect(await kept(ids)).toBe(0);
  const deleted = await world
    .worker()
    .deps.metrics.registry.getSingleMetricAsString('ledger_events_forgotten_total');
  expect(Number(/ledger_events_forgotten_total\S* (\d+)/.exec(deleted)?.[1])).toBeGreaterThanOrEqual(4_500);
  expect(world.logs.join('')).toContain('"count":4500');
});

it('is scheduled', async () => {
  const schedule = await waitFor(
    async () => (await retention.queue.bull.getJobScheduler('retention')) ?? null,
    {
      what: 'the schedule',
    },
  );
  expect(schedule.every).toBe(3_600_000);
});

it('the head of the audit chain is written to the log each time', async () => {
  const head = { id: '0', digest: '00'.repeat(32) };
  const logged = () =>
    world.logs
      .filter((line) => line.includes('"audit_head"'))
      .map((line): { id: string; digest: string } => JSON.parse(line))
      .map(({ id, digest }) => ({ id, digest }));
  const before = logged().length;
  await retention.run();
  expect(logged()[before]).toEqual(head);
  await world.database.$executeRaw`
    INSERT INTO public.audit_log (actor, action, target_type, target_id) VALUES ('ann', 'project.create', 'project', 'p')`;
  await retention.run();
  const [row] = await world.database.auditEntry.findMany({ take: 1, orderBy: { id: 'desc' } });
  if (row === undefined) throw new Error('there is a row');
  expect(logged()[before + 1]).toEqual({ id: '1', digest: Buffer.from(row.digest).toString('hex') });
});
