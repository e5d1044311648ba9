import { createHttpClient } from '../load/http-client.ts';
import { failOnFailed, openLoop } from '../load/open-loop.ts';
import type { Latencies } from '../load/open-loop.ts';
import { spreadOf } from '../measure/statistics.ts';
import { latencyRows } from '../report/latency-rows.ts';
import type { Scenario } from './scenario.ts';
import { createChecker, subscribedUsers } from './users.ts';

const scenario = 'check, cold start at 500/s';
const perSecond = 500;
/** All are cold at first; after some seconds each has been asked for. */
const userCount = 2_000;

async function misses(url: string): Promise<number> {
  const client = createHttpClient(url);
  const { text } = await client.send({ path: '/metrics' });
  client.close();
  return Number(/^entitlement_cache_misses_total (\d+)/m.exec(text)?.[1] ?? 0);
}

/** The whole cache is emptied while 500 checks a second come: what the readers see until it has filled again. */
export const coldStart: Scenario = {
  name: 'cold',
  isDefault: false,
  async run(environment, { rounds, seconds, say }) {
    const api = await environment.startApi();
    const users = subscribedUsers(environment, userCount);
    const checker = createChecker(api.url, environment);
    const results: Latencies[] = [];
    const missed: number[] = [];
    for (let round = 0; round <= rounds; round += 1) {
      await environment.cache.flushall();
      const before = await misses(api.url);
      const latencies = await openLoop({
        perSecond,
        seconds,
        request: async () => {
          await checker.check(users[Math.floor(Math.random() * users.length)] ?? '');
        },
      });
      failOnFailed(latencies, 'checks');
      say(`${scenario}: round ${round} of ${rounds}`);
      if (round === 0) continue;
      results.push(latencies);
      missed.push(((await misses(api.url)) - before) / latencies.count);
    }
    checker.close();
    await api.stop();
    return [
      ...latencyRows({ scenario, name: 'our API' }, results),
      { scenario, name: 'read from Postgres', unit: 'of all', value: spreadOf(missed) },
    ];
  },
};
