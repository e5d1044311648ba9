import {
  advanceBaseLine,
  createDatabase,
  createGrant,
  emitUsers,
  findBaseLines,
  findDiffering,
  patchProduct,
  prepareBaseLine,
  readBaseLinePage,
  stopTelling,
} from '@billing/store';
import type { BaseLineStep } from '@billing/store';
import { waitFor } from '@billing/testing';
import { addEndpoint, startTellingWorld } from './support/telling-world.test-support.ts';
import type { TellingWorld } from './support/telling-world.test-support.ts';

let world: TellingWorld;
beforeAll(async () => {
  world = await startTellingWorld({ isStarted: false });
});
afterAll(() => world.close());
afterEach(() => world.stopWorker());

const users = 250;

async function manyUsers(projectId: string): Promise<void> {
  await world.asOwner(`
    INSERT INTO public.users (project_id, user_id, version)
    SELECT '${projectId}', 'u' || lpad(n::text, 4, '0'), 1 FROM generate_series(1, ${users}) n;
    INSERT INTO public.grants (id, user_ref, feature_code, valid_from, reason, granted_by, granted_at)
    SELECT 'grant_${projectId}_' || u.id, u.id, 'a', now(), 'test', 'test', now() FROM public.users u
    WHERE u.project_id = '${projectId}'`);
}

it('is silent, covers all users, and tells from then on', async () => {
  const projectId = await world.newProject();
  await manyUsers(projectId);
  await addEndpoint(world.database, projectId);
  await world.startWorker();
  await world.baseLineEnds(projectId);
  const { database } = world;
  expect(await database.webhookState.count({ where: { projectId } })).toBe(users);
  expect(await database.webhookMessage.count({ where: { projectId } })).toBe(0);
  const run = await database.run.findFirstOrThrow({ where: { projectId, kind: 'base_line' } });
  expect([run.status, run.result]).toEqual(['done', { users }]);
  await world.grant(projectId, 'u0123', { featureCode: 'b' });
  const [message] = await world.toldOnce(projectId, 'u0123', 1);
  expect(message?.data).toMatchObject({
    previous_version: 2,
    changes: [{ feature_code: 'b', change: 'added' }],
  });
});

it('does not hide a change that came before it reached the user', async () => {
  const projectId = await world.newProject();
  await manyUsers(projectId);
  const product = await world.sell(projectId, ['x']);
  await addEndpoint(world.database, projectId);
  await world.subscribe(projectId, 'u0200', product);
  await world.subscribe(projectId, 'new', product);
  await world.startWorker();
  const [message] = await world.toldOnce(projectId, 'u0200', 1);
  expect(message?.data).toMatchObject({
    previous_version: null,
    changes: [],
    entitlements: [{ feature_code: 'a' }, { feature_code: 'x' }],
  });
  // A user who came later had nothing before.
  const [first] = await world.toldOnce(projectId, 'new', 1);
  expect(first?.data).toMatchObject({
    previous_version: null,
    changes: [{ feature_code: 'x', change: 'added' }],
  });
  await world.baseLineEnds(projectId);
  const { database } = world;
  expect(await database.webhookMessage.count({ where: { projectId } })).toBe(2);
  expect(await database.webhookState.count({ where: { projectId } })).toBe(users + 1);
});

it('tells what time changed while it waited', async () => {
  const projectId = await world.newProject();
  const { database } = world;
  await world.subscribe(projectId, 'u', await world.sell(projectId, ['x']));
  await addEndpoint(database, projectId);
  const found = () => findBaseLines(database, { projectId, now: Date.now() });
  const [baseLine] = await found();
  // Transactions of other tests on the same server may have to end first.
  await waitFor(() => prepareBaseLine(database, baseLine?.id ?? 0), { what: 'older transactions to end' });
  // As if it had always been to end then.
  await world.asOwner(`
    UPDATE public.subscriptions s SET cancel_at = f.seen_at + interval '100 milliseconds'
    FROM public.webhook_fan_outs f, public.users u WHERE f.project_id = '${projectId}' AND u.project_id = f.project_id
      AND s.user_ref = u.id`);
  await waitFor(
    async () => {
      const [{ seenAt } = { seenAt: Date.now() }] = await found();
      return Date.now() - seenAt > 200;
    },
    { what: 'the end to pass' },
  );
  await world.startWorker();
  const [message] = await world.toldOnce(projectId, 'u', 1);
  expect(message?.data).toMatchObject({ previous_version: null, changes: [], entitlements: [] });
});

const context = { settings: { pastDueGraceDays: 7, renewalAllowanceMs: 0 }, now: () => Date.now() };

/** Reads a base line to its end, without a worker, by several at once. */
async function readByMany(projectId: string, readers: number) {
  const { database } = world;
  const found = () => findBaseLines(database, { projectId, now: Date.now() });
  const [{ id } = { id: 0 }] = await found();
  await waitFor(() => prepareBaseLine(database, id), { what: 'older transactions to end' });
  const steps: BaseLineStep[] = [];
  const read = async (): Promise<void> => {
    for (let [baseLine] = await found(); baseLine !== undefined; [baseLine] = await found()) {
      const step = await readBaseLinePage(database, context, baseLine);
      if (step === null) continue;
      if (step.to !== null) steps.push(step);
      await advanceBaseLine(database, baseLine, step);
    }
  };
  await Promise.all(Array.from({ length: readers }, read));
  return steps;
}

it('is read by one process at a time, each user once', async () => {
  const projectId = await world.newProject();
  await manyUsers(projectId);
  await addEndpoint(world.database, projectId);
  const steps = await readByMany(projectId, 3);
  expect(new Set(steps.map(({ afterUser }) => afterUser)).size).toBe(steps.length);
  expect(steps.flatMap(({ left }) => left)).toEqual([]);
  expect(await world.database.webhookState.count({ where: { projectId } })).toBe(users);
});

it('what was read of a user without a lock is not told once somebody has changed it', async () => {
  const projectId = await world.newProject();
  const { database, actor } = world;
  const { productId, stripePriceId } = await world.sell(projectId, ['x']);
  const userIds = ['changed', 'same'];
  for (const userId of userIds) await world.subscribe(projectId, userId, { stripePriceId });
  await addEndpoint(database, projectId);
  await readByMany(projectId, 1);
  const patch = { feature_codes: ['x', 'y'], dry_run: false };
  await patchProduct(database, { key: { projectId, productId }, patch, actor });
  const known = await findDiffering(database, context, { projectId, userIds });
  expect([...known.keys()].sort()).toEqual(userIds);
  const request = { project_id: projectId, user_id: 'changed', feature_code: 'own', reason: 'test' };
  const always = { valid_from: undefined, valid_to: undefined, dry_run: false };
  await createGrant(database, { ...request, ...always }, { actor, now: Date.now() });
  await emitUsers(database, context, { projectId, userIds, known, cause: 'catalog', isThorough: true });
  const codesOf = async (userId: string) =>
    (await world.told(projectId, userId)).map(({ data }) =>
      data.entitlements?.map((entry) => entry.feature_code),
    );
  expect(await codesOf('changed')).toEqual([['own', 'x', 'y']]);
  expect(await codesOf('same')).toEqual([['x', 'y']]);
});

it('waits for transactions that did not see the endpoint', async () => {
  const projectId = await world.newProject();
  await manyUsers(projectId);
  const old = createDatabase({
    url: world.environment.DATABASE_URL,
    poolSize: 1,
    connectTimeoutMs: 5_000,
    statementTimeoutMs: 10_000,
  });
  let go = (): void => undefined;
  const held = new Promise<void>((resolve) => (go = resolve));
  let started = (): void => undefined;
  const running = new Promise<void>((resolve) => (started = resolve));
  const change = old.$transaction(async (tx) => {
    // Has written nothing yet, and sees no endpoint: its change is not marked.
    await tx.project.findUniqueOrThrow({ where: { id: projectId } });
    started();
    await held;
    await tx.grant.updateMany({
      where: { user: { projectId, userId: 'u0001' } },
      data: { revokedAt: new Date(), revokedBy: 'test', revokeReason: 'test' },
    });
    await tx.user.updateMany({ where: { projectId, userId: 'u0001' }, data: { version: { increment: 1 } } });
  });
  await running;
  await addEndpoint(world.database, projectId);
  await world.startWorker();
  await waitFor(
    async () =>
      (await world.database.webhookFanOut.count({ where: { projectId, seenAt: { not: null } } })) > 0,
    { what: 'the base line to be seen' },
  );
  expect(await world.database.webhookState.count({ where: { projectId } })).toBe(0);
  go();
  await change;
  await world.baseLineEnds(projectId);
  const state = await world.database.webhookState.findUniqueOrThrow({
    where: { projectId_userId: { projectId, userId: 'u0001' } },
  });
  expect([state.entitlements, state.version]).toEqual([[], 3n]);
  await old.$disconnect();
});

it('is read again after the project told nothing for a while', async () => {
  const projectId = await world.newProject();
  await world.startWorker();
  const endpoint = await addEndpoint(world.database, projectId);
  await world.baseLineEnds(projectId);
  await world.grant(projectId, 'u', { featureCode: 'a' });
  await world.toldOnce(projectId, 'u', 1);
  const { database } = world;
  const enable = (isEnabled: boolean) =>
    database.webhookEndpoint.update({
      where: { id: endpoint },
      data: { isEnabled, disabledReason: isEnabled ? null : 'by_operator' },
    });
  await enable(false);
  await database.$transaction((tx) => stopTelling(tx, projectId));
  await world.grant(projectId, 'u', { featureCode: 'b' });
  await world.allTold();
  await addEndpoint(database, projectId);
  await world.baseLineEnds(projectId);
  await world.grant(projectId, 'u', { featureCode: 'c' });
  const [, message] = await world.toldOnce(projectId, 'u', 2);
  expect(message?.data).toMatchObject({
    previous_version: 3,
    version: 4,
    changes: [{ feature_code: 'c', change: 'added' }],
  });
});
