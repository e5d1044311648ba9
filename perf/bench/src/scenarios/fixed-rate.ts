import type { BenchEnvironment } from '../environment/set-up.ts';
import { createHttpClient } from '../load/http-client.ts';
import { failOnFailed, openLoop } from '../load/open-loop.ts';
import type { Latencies } from '../load/open-loop.ts';
import { median, spreadOf } from '../measure/statistics.ts';
import { takeTurns } from '../measure/take-turns.ts';
import type { Turns, Variant } from '../measure/take-turns.ts';
import { atMost, latencyRows } from '../report/row.ts';
import { createChecker, subscribedUsers, sumOfMetrics } from './scenario.ts';
import type { Scenario, Settings } from './scenario.ts';

const scenario = 'check, 100/s open loop';
const perSecond = 100;
const readers = 200;
const statementsOfChecks = /^database_query_duration_seconds_count\{operation="with"\} (\d+)/gm;

const p50Of = (rounds: readonly Latencies[]): number => median(rounds.map(({ p50 }) => p50));

/** Many readers of one user that is not cached; returns how many statements they cost. */
async function herd(environment: BenchEnvironment, url: string): Promise<number> {
  const [user = ''] = subscribedUsers(environment, 1);
  const checker = createChecker(url, environment);
  const client = createHttpClient(url);
  await environment.cache.flushall();
  const before = await sumOfMetrics(client, statementsOfChecks);
  await Promise.all(Array.from({ length: readers }, () => checker.check(user)));
  const after = await sumOfMetrics(client, statementsOfChecks);
  checker.close();
  client.close();
  return after - before;
}

type Urls = { api: string; bare: string };

async function measureLatencies(
  environment: BenchEnvironment,
  urls: Urls,
  { seconds, rounds, say }: Settings,
): Promise<Turns<Latencies>> {
  const users = subscribedUsers(environment, 1_000);
  const checker = createChecker(urls.api, environment);
  const bareChecker = createChecker(urls.bare, environment);
  const load = async (through = checker): Promise<Latencies> => {
    const request = async (number: number): Promise<void> => {
      await through.check(users[number % users.length] ?? '');
    };
    const latencies = await openLoop({ perSecond, seconds, request });
    failOnFailed(latencies, 'checks');
    return latencies;
  };
  const variants: Variant<Latencies>[] = [
    { name: 'bare', measure: () => load(bareChecker) },
    {
      name: 'hit',
      measure: async () => {
        for (const user of users) await checker.check(user);
        return load();
      },
    },
    {
      name: 'miss',
      measure: async () => {
        await environment.cache.flushall();
        return load();
      },
    },
  ];
  const turns = await takeTurns(variants, { title: scenario, rounds, say });
  checker.close();
  bareChecker.close();
  return turns;
}

/** Latency at a modest fixed rate, from the moment at which each request was due; and many readers of one cold user. */
export const fixedRate: Scenario = {
  name: 'latency',
  isDefault: true,
  async run(environment, settings) {
    const api = await environment.startApi();
    const bare = await environment.startPeer('servers/check/bare');
    const turns = await measureLatencies(environment, { api: api.url, bare: bare.url }, settings);
    const herdStatements = await herd(environment, api.url);
    await Promise.all([api.stop(), bare.stop()]);
    const [ofBare = [], hit = [], miss = []] = ['bare', 'hit', 'miss'].map((name) => turns.get(name));
    return [
      ...latencyRows({ scenario, name: 'bare node:http' }, ofBare),
      ...latencyRows({ scenario, name: 'our API, hit' }, hit),
      ...latencyRows({ scenario, name: 'our API, miss' }, miss, {
        p50: [atMost('× hit', p50Of(miss) / p50Of(hit), 3)],
      }),
      {
        scenario: 'herd on a cold user',
        name: `${readers} readers`,
        unit: 'statements',
        value: spreadOf([herdStatements]),
        goals: [atMost('statements', herdStatements, 1)],
      },
    ];
  },
};
