import { revokeGrant } from '@billing/store';
import { stripeEvent, subscriptionObject, waitFor } from '@billing/testing';
import { uniqueId } from './support/start-test-worker.test-support.ts';
import { addEndpoint, startTellingWorld } from './support/telling-world.test-support.ts';
import type { TellingWorld } from './support/telling-world.test-support.ts';

let world: TellingWorld;
beforeAll(async () => {
  world = await startTellingWorld();
});
afterAll(() => world.close());

describe('a change of what a user has', () => {
  it('is told once, with what was before, and follows the versions', async () => {
    const projectId = await world.newProject();
    await world.grant(projectId, 'u', { featureCode: 'a' });
    await addEndpoint(world.database, projectId);
    await world.baseLineEnds(projectId);
    const second = await world.grant(projectId, 'u', { featureCode: 'b' });
    const [first] = await world.toldOnce(projectId, 'u', 1);
    expect(first?.data).toMatchObject({
      version: 3,
      previous_version: 2,
      causes: [`granted:${second}`],
      changes: [{ feature_code: 'b', change: 'added' }],
      entitlements: [{ feature_code: 'a' }, { feature_code: 'b', is_active: true, kind: 'boolean' }],
    });
    const { database, actor } = world;
    await revokeGrant(
      database,
      { grant_id: second, reason: 'test', dry_run: false },
      { actor, now: Date.now() },
    );
    const [, then] = await world.toldOnce(projectId, 'u', 2);
    expect(then?.data).toMatchObject({
      version: 4,
      previous_version: 3,
      causes: [`revoked:${second}`],
      changes: [{ feature_code: 'b', change: 'removed' }],
    });
  });

  it('names the events that brought it', async () => {
    await addEndpoint(world.database, 'shop');
    await world.baseLineEnds('shop');
    const now = Math.floor(Date.now() / 1000);
    const events = ['incomplete', 'active'].map((status, index) =>
      stripeEvent({
        type: 'customer.subscription.updated',
        object: subscriptionObject({
          id: 'sub_told',
          status,
          items: [{ priceId: 'price_sub', start: now, end: now + 86_400 }],
        }),
        created: now - 10 + index,
      }),
    );
    await world.deliver(...events);
    const features = await world.features(Date.now());
    const messages = await waitFor(
      async () => {
        const told = await world.told('shop', 'ann');
        const last = told.at(-1)?.data.entitlements ?? [];
        return last.length === features.length && told;
      },
      { what: 'the state to be told' },
    );
    expect(messages.flatMap(({ data }) => data.causes)).toContain(`stripe_event:${events[1]?.id}`);
  });

  it('is not told where the version grows and the list stays', async () => {
    const projectId = await world.newProject();
    await addEndpoint(world.database, projectId);
    await world.baseLineEnds(projectId);
    await world.grant(projectId, 'u', { featureCode: 'later', validFrom: Date.now() + 3_600_000 });
    await world.allTold();
    expect(await world.told(projectId, 'u')).toEqual([]);
    await world.grant(projectId, 'u', { featureCode: 'now' });
    const [message] = await world.toldOnce(projectId, 'u', 1);
    expect(message?.data).toMatchObject({
      previous_version: null,
      changes: [{ feature_code: 'now', change: 'added' }],
    });
  });
});

describe('an endpoint', () => {
  it('gets what it wants, in its form', async () => {
    const projectId = await world.newProject();
    const { database } = world;
    const [full, thin, catalog, off] = [
      await addEndpoint(database, projectId),
      await addEndpoint(database, projectId, { payload: 'thin', eventTypes: ['entitlements.changed'] }),
      await addEndpoint(database, projectId, { eventTypes: ['catalog.changed'] }),
      await addEndpoint(database, projectId, { isEnabled: false }),
    ];
    await world.baseLineEnds(projectId);
    await world.grant(projectId, 'u', { featureCode: 'a' });
    await world.toldOnce(projectId, 'u', 1);
    const rows = await database.webhookDelivery.findMany({
      where: { projectId },
      include: { message: true },
    });
    expect(new Map(rows.map(({ endpointId, form }) => [endpointId, form]))).toEqual(
      new Map([
        [full, 'full'],
        [thin, 'thin'],
      ]),
    );
    expect(rows).toHaveLength(2);
    expect(rows.some(({ endpointId }) => endpointId === catalog || endpointId === off)).toBe(false);
    const [message] = rows.map((row) => row.message);
    expect(JSON.parse(message?.thin ?? '')).toEqual({
      type: 'entitlements.changed',
      timestamp: expect.any(String),
      data: { project_id: projectId, user_id: 'u', version: 2, previous_version: null },
    });
    expect(message?.id).toMatch(/^msg_/);
  });

  it('that wants the latest only has older states superseded, one that wants every has not', async () => {
    const projectId = await world.newProject();
    const { database } = world;
    const latest = await addEndpoint(database, projectId);
    const every = await addEndpoint(database, projectId, { delivery: 'every' });
    await world.baseLineEnds(projectId);
    for (const [index, featureCode] of ['a', 'b', 'c'].entries()) {
      await world.grant(projectId, 'u', { featureCode });
      await world.toldOnce(projectId, 'u', index + 1);
    }
    const statusesOf = async (endpointId: string) =>
      (await database.webhookDelivery.findMany({ where: { endpointId }, orderBy: { id: 'asc' } })).map(
        ({ status, nextTryAt }) => [status, nextTryAt !== null],
      );
    expect(await statusesOf(latest)).toEqual([
      ['superseded', false],
      ['superseded', false],
      ['pending', true],
    ]);
    expect(await statusesOf(every)).toEqual(Array.from({ length: 3 }, () => ['pending', true]));
  });
});

describe('what time changes', () => {
  it('is told without an event: an end and a beginning', async () => {
    const projectId = await world.newProject();
    await addEndpoint(world.database, projectId);
    await world.baseLineEnds(projectId);
    const soon = Date.now() + 1_500;
    await world.grant(projectId, 'ends', { featureCode: 'a', validTo: soon });
    await world.grant(projectId, 'begins', { featureCode: 'b', validFrom: soon });
    const [, ended] = await world.toldOnce(projectId, 'ends', 2);
    expect(ended?.data).toMatchObject({
      version: 3,
      previous_version: 2,
      causes: ['expired'],
      changes: [{ feature_code: 'a', change: 'removed' }],
      entitlements: [],
    });
    expect(Date.parse(ended?.timestamp ?? '') - soon).toBeLessThan(2_000);
    const [begun] = await world.toldOnce(projectId, 'begins', 1);
    expect(begun?.data).toMatchObject({
      causes: ['started'],
      changes: [{ feature_code: 'b', change: 'added' }],
    });
    // The version that was told is the one that a read has.
    const { version } = await world.database.project.findUniqueOrThrow({ where: { id: projectId } });
    for (const [userId, message] of [
      ['ends', ended],
      ['begins', begun],
    ] as const)
      expect(Number((await world.versionOf(userId, projectId)) ?? 0n) + Number(version)).toBe(
        message?.data.version,
      );
  });

  it('is told of users whom the base line has read', async () => {
    const projectId = await world.newProject();
    await world.grant(projectId, 'u', { featureCode: 'a', validTo: Date.now() + 2_500 });
    await addEndpoint(world.database, projectId);
    await world.baseLineEnds(projectId);
    const [ended] = await world.toldOnce(projectId, 'u', 1);
    expect(ended?.data).toMatchObject({ causes: ['expired'], previous_version: 2, version: 3 });
  });
});

test('a user of many projects is told of in each by itself', async () => {
  const [one, other] = [await world.newProject(), await world.newProject()];
  await addEndpoint(world.database, one);
  await world.baseLineEnds(one);
  const userId = uniqueId('user');
  await world.grant(one, userId, { featureCode: 'a' });
  await world.grant(other, userId, { featureCode: 'a' });
  await world.toldOnce(one, userId, 1);
  expect(await world.database.webhookMark.count({ where: { projectId: other } })).toBe(0);
  expect(await world.told(other, userId)).toEqual([]);
});
