import { asked, startUsage, use } from '../usage/usage.test-support.ts';
import type { TestUsage } from '../usage/usage.test-support.ts';
import { emitCrossings } from './emit-project.ts';
import { startTelling } from './start-telling.ts';

let usage: TestUsage;
beforeAll(async () => {
  usage = await startUsage();
});
afterAll(() => usage.close());

async function addEndpoint(id: string, eventTypes: string[]): Promise<void> {
  await usage.database.$transaction(async (tx) => {
    const parts = { payload: 'thin', delivery: 'latest', url: 'https://example.com/', keyId: 'none' };
    await tx.webhookEndpoint.create({ data: { id, projectId: 'p', eventTypes, ...parts } });
    await startTelling(tx, 'p');
  });
}

/** Takes all of an allowance of 10, one by one. */
async function useUp(userId: string): Promise<void> {
  await usage.grant(userId, 10);
  for (let count = 0; count < 10; count += 1) await usage.submit(asked(userId, use(`${userId}_${count}`)));
}

const marksOf = (userId: string) => usage.database.webhookMark.count({ where: { userId } });

test('a crossing is told only where an endpoint wants it at that moment', async () => {
  const { database } = usage;
  await useUp('before');
  expect(await marksOf('before')).toBe(0);
  await addEndpoint('other', ['catalog.changed']);
  await useUp('unwanted');
  expect(await marksOf('unwanted')).toBe(0);
  await addEndpoint('limits', ['usage.limit_reached']);
  await useUp('limit');
  expect(await marksOf('limit')).toBe(1);
  await addEndpoint('all', ['*']);
  await useUp('both');
  expect(await marksOf('both')).toBe(3);

  const { types } = await emitCrossings(database);
  expect(types.toSorted()).toEqual([
    'usage.limit_reached',
    'usage.limit_reached',
    'usage.threshold_reached',
    'usage.threshold_reached',
  ]);
  expect(await database.webhookMark.count()).toBe(0);
  const messages = await database.webhookMessage.findMany({
    where: { userId: 'both' },
    include: { deliveries: true },
  });
  const told = messages.map(({ full, deliveries }) => ({
    body: JSON.parse(full),
    to: deliveries
      .map(({ endpointId, form }) => `${endpointId} ${form}`)
      .toSorted((a, b) => (a < b ? -1 : 1)),
  }));
  const facts = { project_id: 'p', user_id: 'both', feature_code: 'calls', granted: 10, source: 'manual' };
  const grant = { source_id: expect.stringContaining('grant_both'), period_end: null };
  expect(told).toEqual(
    expect.arrayContaining([
      {
        to: ['all full'],
        body: {
          type: 'usage.threshold_reached',
          timestamp: expect.any(String),
          data: {
            ...facts,
            ...grant,
            threshold: 80,
            used: 8,
            usage_seq: 8,
            period_start: expect.any(String),
          },
        },
      },
      {
        to: ['all full', 'limits full'],
        body: {
          type: 'usage.limit_reached',
          timestamp: expect.any(String),
          data: { ...facts, ...grant, used: 10, usage_seq: 10, period_start: expect.any(String) },
        },
      },
    ]),
  );
});

test('nothing is made of the crossing of a user who is gone', async () => {
  const { database } = usage;
  await useUp('gone');
  await database.grant.deleteMany({ where: { user: { userId: 'gone' } } });
  await database.user.deleteMany({ where: { userId: 'gone' } });
  expect((await emitCrossings(database)).types).toEqual([]);
  expect(await database.webhookMessage.count({ where: { userId: 'gone' } })).toBe(0);
});
