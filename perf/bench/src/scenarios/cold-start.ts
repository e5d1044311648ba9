import { createHttpClient } from '../load/http-client.ts';
import { failOnFailed, openLoop } from '../load/open-loop.ts';
import type { Latencies } from '../load/open-loop.ts';
import { spreadOf } from '../measure/statistics.ts';
import { inRounds } from '../measure/take-turns.ts';
import { latencyRows } from '../report/row.ts';
import { createChecker, subscribedUsers, sumOfMetrics } from './scenario.ts';
import type { Scenario } from './scenario.ts';

const scenario = 'check, cold start at 500/s';
const perSecond = 500;
/** Few enough that each is checked within some seconds. */
const userCount = 2_000;
const missesTotal = /^entitlement_cache_misses_total (\d+)/gm;

/** The whole cache is emptied at 500 checks a second: latencies until it has filled again. */
export const coldStart: Scenario = {
  name: 'cold',
  isDefault: false,
  async run(environment, { rounds, seconds, say }) {
    const api = await environment.startApi();
    const users = subscribedUsers(environment, userCount);
    const checker = createChecker(api.url, environment);
    const client = createHttpClient(api.url);
    const request = async (): Promise<void> => {
      await checker.check(users[Math.floor(Math.random() * users.length)] ?? '');
    };
    const round = async (): Promise<{ latencies: Latencies; missShare: number }> => {
      await environment.cache.flushall();
      const before = await sumOfMetrics(client, missesTotal);
      const latencies = await openLoop({ perSecond, seconds, request });
      failOnFailed(latencies, 'checks');
      const misses = (await sumOfMetrics(client, missesTotal)) - before;
      return { latencies, missShare: misses / latencies.count };
    };
    // The cache is cold, V8 is not.
    await round();
    const results = await inRounds({ title: scenario, rounds, say }, round);
    checker.close();
    client.close();
    await api.stop();
    const allLatencies = results.map(({ latencies }) => latencies);
    const missShares = results.map(({ missShare }) => missShare);
    return [
      ...latencyRows({ scenario, name: 'our API' }, allLatencies),
      { scenario, name: 'read from Postgres', unit: 'of all', value: spreadOf(missShares) },
    ];
  },
};
