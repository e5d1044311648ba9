import { changeUser, newRunId, startBackfill } from '@billing/store';
import { waitFor } from '@billing/testing';
import { addEndpoint, startTellingWorld } from './support/telling-world.test-support.ts';
import type { TellingWorld } from './support/telling-world.test-support.ts';

let world: TellingWorld;
beforeAll(async () => {
  world = await startTellingWorld({ env: { WEBHOOK_FANOUT_PER_SECOND: '40' } });
});
afterAll(() => world.close());

const fanOutsEnd = (projectId: string): Promise<unknown> =>
  waitFor(async () => (await world.database.webhookFanOut.count({ where: { projectId } })) === 0, {
    what: 'the fan-out to end',
  });

/** Users who have a product, and some who do not. */
async function startShop(holders: number, others: number) {
  const projectId = await world.newProject();
  const product = await world.sell(projectId, ['x']);
  for (let n = 0; n < holders; n += 1) await world.subscribe(projectId, `holder${n}`, product);
  for (let n = 0; n < others; n += 1)
    await changeUser(world.database, { projectId, userId: `other${n}` }, async () => ({
      result: undefined,
      changed: true,
    }));
  const endpoint = await addEndpoint(world.database, projectId, { delivery: 'every' });
  await world.baseLineEnds(projectId);
  return { projectId, product, endpoint };
}

describe('a change of the catalog', () => {
  it('is told once at once, then to those it concerns, at a rate that own changes overtake', async () => {
    const { projectId, product } = await startShop(24, 8);
    const { database } = world;
    await world.setFeatures(projectId, product.productId, ['x', 'y']);
    await waitFor(
      async () =>
        (await database.webhookMessage.count({ where: { projectId, type: 'catalog.changed' } })) > 0,
      { what: 'catalog.changed' },
    );
    const { version } = await database.project.findUniqueOrThrow({ where: { id: projectId } });
    const [told] = await database.webhookMessage.findMany({ where: { projectId, type: 'catalog.changed' } });
    expect(JSON.parse(told?.full ?? '')).toEqual({
      type: 'catalog.changed',
      timestamp: expect.any(String),
      data: { project_id: projectId, version: Number(version) },
    });
    await world.grant(projectId, 'holder9', { featureCode: 'own' });
    const [own] = await world.toldOnce(projectId, 'holder9', 1);
    expect(own?.data.changes).toContainEqual({ feature_code: 'own', change: 'added' });
    await fanOutsEnd(projectId);
    for (const user of ['holder0', 'holder23']) {
      const [message, more] = await world.told(projectId, user);
      expect([message?.data.causes, message?.data.changes, more]).toEqual([
        ['catalog'],
        [{ feature_code: 'y', change: 'added' }],
        undefined,
      ]);
    }
    expect(await world.told(projectId, 'other0')).toEqual([]);
    expect(
      await database.webhookMessage.count({ where: { projectId, type: 'entitlements.changed' } }),
    ).toBeLessThanOrEqual(25);
  });

  it('that changes nothing for anybody tells nobody but the project', async () => {
    const { projectId, product } = await startShop(3, 0);
    await world.setFeatures(projectId, product.productId, ['x', 'y']);
    await world.setFeatures(projectId, product.productId, ['x']);
    await world.allTold();
    await fanOutsEnd(projectId);
    const messages = await world.told(projectId, 'holder0');
    const last = messages.at(-1)?.data.entitlements ?? [{ feature_code: 'x' }];
    expect(last.map((entry) => entry.feature_code)).toEqual(['x']);
    expect(messages.length % 2).toBe(0);
  });
});

describe('a backfill', () => {
  it('tells one endpoint the state of every user once, those without anything too', async () => {
    const { projectId, endpoint } = await startShop(6, 3);
    const { database } = world;
    const other = await addEndpoint(database, projectId);
    const latest = await addEndpoint(database, projectId, { eventTypes: ['catalog.changed'] });
    const begin = async (id: string): Promise<string | null> => {
      const runId = newRunId();
      return database.$transaction(async (tx) => {
        const begun = await startBackfill(tx, { endpoint: { id, projectId }, runId });
        if (begun)
          await tx.run.create({ data: { id: runId, kind: 'backfill', projectId, requestedBy: 'test' } });
        return begun ? runId : null;
      });
    };
    const runId = await begin(endpoint);
    expect(await begin(endpoint)).toBeNull();
    await begin(latest);
    await fanOutsEnd(projectId);
    const rows = await database.webhookDelivery.findMany({
      where: { projectId },
      include: { message: true },
    });
    expect(rows.some(({ endpointId }) => endpointId === other)).toBe(false);
    for (const id of [endpoint, latest]) {
      const bodies = rows
        .filter((row) => row.endpointId === id)
        .map(({ message }) => JSON.parse(message.full));
      expect(bodies).toHaveLength(9);
      expect(new Set(bodies.map(({ data }) => data.user_id)).size).toBe(9);
      for (const { data } of bodies)
        expect([data.causes, data.changes, data.version >= (data.previous_version ?? 0)]).toEqual([
          ['backfill'],
          [],
          true,
        ]);
    }
    const run = await database.run.findUniqueOrThrow({ where: { id: runId ?? '' } });
    expect([run.status, run.result]).toEqual(['done', { users: 9 }]);
  });

  it('ends with its endpoint', async () => {
    const { projectId, endpoint } = await startShop(1, 0);
    const { database } = world;
    const runId = newRunId();
    await addEndpoint(database, projectId);
    await database.webhookEndpoint.update({
      where: { id: endpoint },
      data: { isEnabled: false, disabledReason: 'gone' },
    });
    await database.$transaction(async (tx) => {
      await tx.run.create({ data: { id: runId, kind: 'backfill', projectId, requestedBy: 'test' } });
      await startBackfill(tx, { endpoint: { id: endpoint, projectId }, runId });
    });
    await fanOutsEnd(projectId);
    expect(await database.run.findUniqueOrThrow({ where: { id: runId } })).toMatchObject({
      status: 'failed',
      error: 'the endpoint was disabled',
    });
  });
});
