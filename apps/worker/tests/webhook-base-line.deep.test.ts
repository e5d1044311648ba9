import { setTimeout as sleep } from 'node:timers/promises';
import { createGrant } from '@billing/store';
import { buildApps, waitFor } from '@billing/testing';
import { addEndpoint, startTellingWorld } from './support/telling-world.test-support.ts';
import type { TellingWorld } from './support/telling-world.test-support.ts';
import { spawnWorker } from './support/worker-process.test-support.ts';
import type { WorkerProcess } from './support/worker-process.test-support.ts';

let world: TellingWorld;
const running: WorkerProcess[] = [];

beforeAll(async () => {
  [world] = await Promise.all([startTellingWorld({ isStarted: false }), buildApps()]);
}, 120_000);
afterEach(() => Promise.all(running.splice(0).map((process) => process.kill('SIGKILL'))));
afterAll(() => world.close());

const users = 24_000;
const changed = 400;
const userOf = (number: number): string => `u${String(number).padStart(5, '0')}`;

async function start(): Promise<void> {
  running.push(await spawnWorker(world.environment));
}

// W1 and W4, while workers are killed: a change is told, whether the base line has reached its user or not, and nothing else is.
it('a base line of many users while some change: each of these is told, and nobody else', async () => {
  const projectId = await world.newProject();
  const { database } = world;
  await world.asOwner(`
    INSERT INTO public.users (project_id, user_id, version)
    SELECT '${projectId}', 'u' || lpad(n::text, 5, '0'), 1 FROM generate_series(1, ${users}) n;
    INSERT INTO public.grants (id, user_ref, feature_code, valid_from, reason, granted_by, granted_at)
    SELECT 'grant_${projectId}_' || u.id, u.id, 'a', now(), 'test', 'test', now() FROM public.users u
    WHERE u.project_id = '${projectId}'`);
  await addEndpoint(database, projectId, { delivery: 'every' });
  await Promise.all([start(), start()]);
  const step = Math.floor(users / changed);
  // From both ends: some are reached before they change, the others after.
  const order = Array.from({ length: changed }, (_one, n) =>
    userOf(1 + (n % 2 === 0 ? n * step : users - 1 - n * step)),
  );
  const position = async (): Promise<number> => {
    const found = await database.webhookFanOut.findFirst({ where: { projectId, kind: 'base_line' } });
    return found === null ? users : Number(found.position);
  };
  const change = async (): Promise<void> => {
    const request = { project_id: projectId, feature_code: 'b', reason: 'test', dry_run: false };
    for (const userId of order)
      await createGrant(
        database,
        { ...request, user_id: userId, valid_from: undefined, valid_to: undefined },
        { actor: world.actor, now: Date.now() },
      );
  };
  const kill = async (): Promise<void> => {
    for (const share of [0.2, 0.5]) {
      await waitFor(async () => (await position()) >= share * users, {
        what: 'a part of it',
        timeoutMs: 60_000,
      });
      const [oldest] = running.splice(0, 1);
      await oldest?.kill('SIGKILL');
      await sleep(50);
      await start();
    }
  };
  await Promise.all([change(), kill()]);
  await waitFor(async () => (await position()) === users, { what: 'the base line', timeoutMs: 120_000 });
  await waitFor(async () => (await database.webhookMark.count()) === 0, {
    what: 'no mark',
    timeoutMs: 60_000,
  });
  expect(await database.webhookState.count({ where: { projectId } })).toBe(users);
  const messages = await database.webhookMessage.findMany({
    where: { projectId, type: 'entitlements.changed' },
  });
  expect(messages).toHaveLength(order.length);
  expect(new Set(messages.map(({ userId }) => userId))).toEqual(new Set(order));
  for (const { full } of messages) {
    const { data } = JSON.parse(full);
    expect(data.entitlements.map((entry: { feature_code: string }) => entry.feature_code)).toEqual([
      'a',
      'b',
    ]);
    // Reached before the change: what was is known. Else nothing is.
    expect(data.changes).toEqual(
      data.previous_version === null ? [] : [{ feature_code: 'b', change: 'added' }],
    );
  }
}, 240_000);
