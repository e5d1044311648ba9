import { createHttpClient } from '../load/http-client.ts';
import { failOnFailed, openLoop } from '../load/open-loop.ts';
import type { Latencies } from '../load/open-loop.ts';
import { median, shuffled, spreadOf } from '../measure/statistics.ts';
import { latencyRows } from '../report/latency-rows.ts';
import { atMost } from '../report/row.ts';
import type { BenchEnvironment } from '../environment/set-up.ts';
import type { Scenario, Settings } from './scenario.ts';
import { createChecker, subscribedUsers } from './users.ts';

const scenario = 'check, 100/s open loop';
const perSecond = 100;
const readers = 200;

const p50Of = (rounds: readonly Latencies[]): number => median(rounds.map(({ p50 }) => p50));

/** How many statements of a check the API has run, by its own metrics. */
async function statements(url: string): Promise<number> {
  const client = createHttpClient(url);
  const { text } = await client.send({ path: '/metrics' });
  client.close();
  return Number(/^database_query_duration_seconds_count\{operation="with"\} (\d+)/m.exec(text)?.[1] ?? 0);
}

/** Many readers of one cold user; how many statements they cost. */
async function herd(environment: BenchEnvironment, api: { url: string }): Promise<number> {
  const [user = ''] = subscribedUsers(environment, 1);
  const checker = createChecker(api.url, environment);
  await environment.cache.flushall();
  const before = await statements(api.url);
  await Promise.all(Array.from({ length: readers }, () => checker.check(user)));
  checker.close();
  return (await statements(api.url)) - before;
}

type Round = { name: 'hit' | 'miss' | 'bare'; measure: () => Promise<Latencies> };

async function measureRounds(kinds: readonly Round[], { rounds, say }: Settings) {
  const results: Record<Round['name'], Latencies[]> = { hit: [], miss: [], bare: [] };
  for (let round = 0; round <= rounds; round += 1) {
    for (const { name, measure } of shuffled(kinds)) {
      const latencies = await measure();
      failOnFailed(latencies, 'checks');
      if (round > 0) results[name].push(latencies);
    }
    say(`${scenario}: round ${round} of ${rounds}`);
  }
  return results;
}

/** Latency at a modest fixed rate, from the moment at which each request was due; and the herd on one cold user. */
export const fixedRate: Scenario = {
  name: 'latency',
  isDefault: true,
  async run(environment, settings) {
    const api = await environment.startApi();
    const bare = await environment.startPeer('servers/check/bare');
    const users = subscribedUsers(environment, 1_000);
    const checker = createChecker(api.url, environment);
    const bareChecker = createChecker(bare.url, environment);
    const run = (request: (user: string) => Promise<unknown>): Promise<Latencies> =>
      openLoop({
        perSecond,
        seconds: settings.seconds,
        request: async (number) => void (await request(users[number % users.length] ?? '')),
      });
    const results = await measureRounds(
      [
        { name: 'bare', measure: () => run((user) => bareChecker.check(user)) },
        {
          name: 'hit',
          measure: async () => {
            for (const user of users) await checker.check(user);
            return run((user) => checker.check(user));
          },
        },
        {
          name: 'miss',
          measure: async () => {
            await environment.cache.flushall();
            return run((user) => checker.check(user));
          },
        },
      ],
      settings,
    );
    const herdStatements = await herd(environment, api);
    checker.close();
    bareChecker.close();
    await Promise.all([api.stop(), bare.stop()]);
    const { hit, miss } = results;
    const missRatio = p50Of(miss) / p50Of(hit);
    return [
      ...latencyRows({ scenario, name: 'bare node:http' }, results.bare),
      ...latencyRows({ scenario, name: 'our API, hit' }, hit),
      ...latencyRows({ scenario, name: 'our API, miss' }, miss, { p50: [atMost('× hit', missRatio, 3)] }),
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
