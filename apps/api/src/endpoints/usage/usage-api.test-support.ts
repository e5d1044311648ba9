import { randomUUID } from 'node:crypto';
import { dayMs } from '@billing/domain';
import { waitFor } from '@billing/testing';
import { startTestApi } from '../../testing/start-test-api.test-support.ts';
import type { TestApiOptions } from '../../testing/start-test-api.test-support.ts';

/** Usage of a metered feature, with defaults. */
export const event = (userId: string, fields: object = {}) => ({
  user_id: userId,
  feature_code: 'calls',
  event_id: randomUUID(),
  ...fields,
});

/** An API with a project that meters `calls`, counts `seats` and limits `history`. */
export async function startUsageApi(options: TestApiOptions = {}) {
  const api = await startTestApi(options);
  const project = await api.createProject();
  await api.deps.database.feature.createMany({
    data: [
      { projectId: project.projectId, featureCode: 'calls', kind: 'metered', thresholds: [80, 100] },
      { projectId: project.projectId, featureCode: 'seats', kind: 'limit', counted: true },
      { projectId: project.projectId, featureCode: 'history', kind: 'limit' },
    ],
  });

  const call = (method: 'get' | 'post' | 'put', path: string, key = project.apiKey) =>
    api.http()[method](path).set('authorization', `Bearer ${key}`);
  return {
    api,
    project,
    call,
    check: (query: Record<string, unknown>) => call('get', '/api/v1/check').query(query),
    /** An answer from the cache, where it comes after the copy was written. */
    checkUntilHit: (query: Record<string, unknown>) =>
      waitFor(
        async () => {
          const answer = await call('get', '/api/v1/check').query(query);
          return answer.headers['x-cache'] === 'hit' ? answer : null;
        },
        { what: 'an answer from the cache' },
      ),
    use: (body: object) => call('post', '/api/v1/usage').send(body),
    /** A new user who has so much of a feature. */
    userWith: async (amount: number, featureCode = 'calls', fields: object = {}): Promise<string> => {
      const userId = `u_${randomUUID()}`;
      const user = await api.deps.database.user.create({ data: { projectId: project.projectId, userId } });
      await api.deps.database.grant.create({
        data: {
          id: `grant_${userId}`,
          userRef: user.id,
          featureCode,
          amount: BigInt(amount),
          validFrom: new Date(Date.now() - 100 * dayMs),
          reason: 'test',
          grantedBy: 'tester',
          grantedAt: new Date(),
          ...fields,
        },
      });
      return userId;
    },
  };
}

export type UsageApi = Awaited<ReturnType<typeof startUsageApi>>;
