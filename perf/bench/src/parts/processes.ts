import { saturate } from '../load/saturate.ts';
import { takeTurns } from '../measure/take-turns.ts';
import { toRows } from '../report/row.ts';
import type { Part } from './part.ts';
import { checkPath, createChecker, subscribedUsers } from './users.ts';

const part = 'check, cache hit, API_PROCESSES';

/** One process against two on the same port. On two cores the load generator and Redis want their share too. */
export const processes: Part = {
  name: 'processes',
  isDefault: true,
  async run(stage, { rounds, seconds, say }) {
    const users = subscribedUsers(stage, 200);
    const load = { connections: 64, seconds, apiKey: stage.seeded.apiKey, paths: users.map(checkPath) };
    const apis = await Promise.all(
      ['1', '2'].map(async (count) => [count, await stage.startApi({ API_PROCESSES: count })] as const),
    );
    for (const [, api] of apis) {
      const checker = createChecker(api.url, stage);
      for (const user of users) await checker.check(user);
      checker.close();
    }
    const variants = apis.map(([name, api]) => ({ name, measure: () => saturate(api, load) }));
    const turns = await takeTurns(variants, rounds, (round) => say(`${part}: round ${round} of ${rounds}`));
    await Promise.all(apis.map(([, api]) => api.stop()));
    return toRows(turns, { part, unit: 'req/s', yardstick: '1' });
  },
};
