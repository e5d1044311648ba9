import type { CreateFeatureRequest } from '@billing/domain';
import {
  changeUser,
  createFeature,
  createPrice,
  createProduct,
  deletePrice,
  patchFeature,
  patchPrice,
  patchProduct,
  patchProject,
} from '@billing/store';
import { waitFor } from '@billing/testing';
import { addEndpoint, startTellingWorld } from './support/telling-world.test-support.ts';
import type { TellingWorld } from './support/telling-world.test-support.ts';

let world: TellingWorld;
const perSecond = 40;
beforeAll(async () => {
  world = await startTellingWorld({ env: { WEBHOOK_FANOUT_PER_SECOND: String(perSecond) } });
});
afterAll(() => world.close());

const dayMs = 86_400_000;

const catalogMessages = (projectId: string) =>
  world.database.webhookMessage.findMany({
    where: { projectId, type: 'catalog.changed' },
    orderBy: { createdAt: 'asc' },
  });

const fanOutsEnd = (projectId: string): Promise<unknown> =>
  waitFor(async () => (await world.database.webhookFanOut.count({ where: { projectId } })) === 0, {
    what: 'the fan-out to end',
  });

/** What an administrator may do to a catalog. */
function changesOf(projectId: string) {
  const { database, actor } = world;
  const dry_run = false as const;
  const feature = { projectId, featureCode: 'calls' };
  const product = { projectId, productId: 'pro' };
  const price = { projectId, priceId: 'monthly' };
  const now = Date.now();
  const terms = {
    amount: 100,
    currency: 'usd',
    interval: 'month',
    intervalCount: 1,
    usageType: null,
  } as const;
  const change = (changes: Parameters<typeof patchPrice>[1]['changes']) =>
    patchPrice(database, { key: price, changes, now, actor });
  const patch = (changes: Omit<Parameters<typeof patchProduct>[1]['patch'], 'dry_run'>) =>
    patchProduct(database, { key: product, patch: { ...changes, dry_run }, actor });
  const rename = (name: string) => patchFeature(database, { key: feature, patch: { name, dry_run }, actor });
  const patchIt = (changes: Omit<Parameters<typeof patchProject>[1]['patch'], 'dry_run'>) =>
    patchProject(database, { id: projectId, patch: { ...changes, dry_run }, actor, pastDueGraceDays: 7 });
  const setPolicy = (days: number) => patchIt({ policy: { past_due_grace_days: days } });
  const stripePriceId = `price_${projectId}`;
  const made = { priceId: 'monthly', productId: 'pro', stripePriceId, accessDays: null, ...terms };
  const newFeature: CreateFeatureRequest = {
    feature_code: 'calls',
    kind: 'metered',
    counted: false,
    thresholds: [],
    dry_run,
  };
  const newProduct = { product_id: 'pro', name: 'Pro', feature_codes: ['x'], dry_run };
  return {
    told: [
      ['a feature', () => createFeature(database, { projectId, request: newFeature, actor })],
      ['a feature’s name', () => rename('Calls')],
      ['a product', () => createProduct(database, { projectId, request: newProduct, actor })],
      ['a product’s name', () => patch({ name: 'Professional' })],
      ['what a product gives', () => patch({ feature_codes: ['x', 'y'] })],
      ['a price', () => createPrice(database, { projectId, price: made, check: 'same', now, actor })],
      ['an archived price', () => change({ isArchived: true })],
      ['no price', () => deletePrice(database, { key: price, actor })],
      ['an archived product', () => patch({ is_archived: true })],
      ['the policy', () => setPolicy(3)],
    ] as [what: string, act: () => Promise<unknown>][],
    untold: [
      () => rename('Calls'),
      () => patch({ name: 'Professional', is_archived: true }),
      () => setPolicy(3),
      () => patchIt({ name: 'Another name' }),
      () => patchIt({ policy: { unpaid: 'deny', usage_timezone: 'UTC' } }),
      () => patchIt({ policy: { unpaid: null } }),
    ],
  };
}

it('each change of products, prices, features and policy is one `catalog.changed`; what changes nothing is none', async () => {
  const projectId = await world.newProject();
  await addEndpoint(world.database, projectId);
  await world.baseLineEnds(projectId);
  const { told, untold } = changesOf(projectId);
  const versions: bigint[] = [];
  for (const [what, act] of told) {
    await act();
    const { version } = await world.database.project.findUniqueOrThrow({ where: { id: projectId } });
    versions.push(version);
    await waitFor(async () => (await catalogMessages(projectId)).length === versions.length, { what });
  }
  for (const act of untold) await act();
  await world.allTold();
  await fanOutsEnd(projectId);
  const messages = await catalogMessages(projectId);
  expect(messages.map((message) => message.version)).toEqual(versions);
  expect(new Set(versions).size).toBe(told.length);
});

it('a change of policy is told to the project, then to those whose access it changes', async () => {
  const projectId = await world.newProject();
  const product = await world.sell(projectId, ['x']);
  for (let n = 0; n < 12; n += 1) await world.subscribe(projectId, `user${n}`, product);
  const { database, actor } = world;
  const late = ['user3', 'user7', 'user11'];
  await database.subscription.updateMany({
    where: { user: { projectId, userId: { in: late } } },
    data: { status: 'past_due', pastDueSince: new Date(Date.now() - 3 * dayMs) },
  });
  await addEndpoint(database, projectId);
  await world.baseLineEnds(projectId);
  const setGrace = (days: number | null) =>
    patchProject(database, {
      id: projectId,
      patch: { policy: { past_due_grace_days: days }, dry_run: false },
      actor,
      pastDueGraceDays: 7,
    });
  for (const [days, change] of [
    [1, 'removed'],
    [null, 'added'],
  ] as const) {
    await setGrace(days);
    await waitFor(async () => (await catalogMessages(projectId)).length === (days === null ? 2 : 1), {
      what: 'catalog.changed',
    });
    await fanOutsEnd(projectId);
    for (const userId of late) {
      const last = (await world.told(projectId, userId)).at(-1);
      expect([last?.data.causes, last?.data.changes]).toEqual([['policy'], [{ feature_code: 'x', change }]]);
    }
  }
  const all = await database.webhookMessage.findMany({ where: { projectId, type: 'entitlements.changed' } });
  expect(all).toHaveLength(2 * late.length);
  expect(new Set(all.map(({ userId }) => userId))).toEqual(new Set(late));
});

it('an import is told at the rate of fan-outs, and a change of a user’s own overtakes it', async () => {
  const projectId = await world.newProject();
  const { database } = world;
  await addEndpoint(database, projectId);
  await world.baseLineEnds(projectId);
  const imported = Array.from({ length: 60 }, (_one, n) => `imported${n}`);
  const since = new Date();
  const importOne = (userId: string) =>
    changeUser(database, { projectId, userId }, async (tx, userRef) => {
      const given = { reason: 'import', grantedBy: 'import', grantedAt: since, validFrom: since };
      await tx.grant.create({
        data: { id: `grant_${projectId}_${userId}`, userRef, featureCode: 'x', ...given },
      });
      return { result: undefined, changed: true, cause: 'import' };
    });
  // Together: a slow machine would make them no faster than they are told.
  await Promise.all(imported.map(importOne));
  await world.grant(projectId, 'own', { featureCode: 'x' });
  await world.toldOnce(projectId, 'own', 1);
  await world.allTold();
  const messages = await database.webhookMessage.findMany({
    where: { projectId, type: 'entitlements.changed' },
    orderBy: { createdAt: 'asc' },
  });
  expect(messages).toHaveLength(imported.length + 1);
  const bodies = messages.map(({ full }) => JSON.parse(full));
  expect(new Set(bodies.flatMap(({ data }) => (data.user_id === 'own' ? [] : data.causes)))).toEqual(
    new Set(['import']),
  );
  expect(bodies.findIndex(({ data }) => data.user_id === 'own')).toBeLessThan(imported.length);
  const ofImport = messages
    .filter(({ userId }) => userId !== 'own')
    .map(({ createdAt }) => createdAt.getTime());
  const tookMs = (ofImport.at(-1) ?? 0) - (ofImport[0] ?? 0);
  // The first part goes at once.
  expect(tookMs).toBeGreaterThan(((imported.length - perSecond / 4) / perSecond) * 1_000 * 0.7);
}, 60_000);
