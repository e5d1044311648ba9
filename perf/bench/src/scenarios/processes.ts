import { saturate } from '../load/saturate.ts';
import { takeTurns } from '../measure/take-turns.ts';
import { toRows } from '../report/row.ts';
import { checkPath, createChecker, subscribedUsers } from './scenario.ts';
import type { Scenario } from './scenario.ts';

const scenario = 'check, cache hit, API_PROCESSES';

/** One process against two on the same port. On two cores they share the CPU with the load generator and Redis. */
export const processes: Scenario = {
  name: 'processes',
  isDefault: false,
  async run(environment, { rounds, seconds, say }) {
    const users = subscribedUsers(environment, 200);
    const load = { connections: 64, seconds, apiKey: environment.seeded.apiKey, paths: users.map(checkPath) };
    const apis = await Promise.all(
      ['1', '2'].map(async (count) => [count, await environment.startApi({ API_PROCESSES: count })] as const),
    );
    for (const [, api] of apis) {
      const checker = createChecker(api.url, environment);
      for (const user of users) await checker.check(user);
      checker.close();
    }
    const variants = apis.map(([name, api]) => ({
      name,
      does: `API_PROCESSES=${name}`,
      measure: () => saturate(api, load, { API: api.pid, Redis: environment.shared.cacheRedis }),
    }));
    const turns = await takeTurns(variants, { title: scenario, rounds, say });
    await Promise.all(apis.map(([, api]) => api.stop()));
    return toRows(turns, { scenario, unit: 'req/s', reference: '1', variants });
  },
};
