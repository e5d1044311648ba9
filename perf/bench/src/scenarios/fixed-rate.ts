import type { BenchEnvironment } from '../environment/set-up.ts';
import { createHttpClient } from '../load/http-client.ts';
import { failOnFailed, openLoop } from '../load/open-loop.ts';
import type { Latencies } from '../load/open-loop.ts';
import { countCpu } from '../measure/cpu-time.ts';
import { spreadOf } from '../measure/statistics.ts';
import { takeTurns } from '../measure/take-turns.ts';
import type { Turns } from '../measure/take-turns.ts';
import { atMost } from '../report/goal.ts';
import { latencyRows, quotient, toRows } from '../report/row.ts';
import { letRunAlone, processesOf, processOf, stopAll, variantsOf, warmAll } from './rivals.ts';
import type { Rival } from './rivals.ts';
import { createChecker, subscribedUsers, sumOfMetrics } from './scenario.ts';
import type { Scenario, Settings } from './scenario.ts';

const scenario = 'check, 100/s open loop';
const perSecond = 100;
/** V8 and the connections are warmed faster than they are measured, misses as fast as a busy machine can do them. */
const warmPerSecond = { other: 500, miss: 200 };
const readers = 200;
const statementsOfChecks = /^database_query_duration_seconds_count\{operation="with"\} (\d+)/gm;
const [bare, hit, miss] = ['bare node:http', 'our API, hit', 'our API, miss'];

type CheckTurn = {
  latencies: Latencies;
  value: number;
  cpu: Readonly<Record<string, number>>;
  count: number;
};

/** Many readers of one user that is not cached; returns how many statements they cost. */
async function herd(environment: BenchEnvironment, rivals: readonly Rival[]): Promise<number> {
  const ours = rivals.find(({ name }) => name === miss);
  if (ours === undefined) throw new Error('There is no API to read from.');
  letRunAlone(rivals, ours);
  const { url } = processOf(ours, 'server');
  const [user = ''] = subscribedUsers(environment, 1);
  const checker = createChecker(url, environment);
  const client = createHttpClient(url);
  await environment.cache.flushall();
  const before = await sumOfMetrics(client, statementsOfChecks);
  await Promise.all(Array.from({ length: readers }, () => checker.check(user)));
  const after = await sumOfMetrics(client, statementsOfChecks);
  checker.close();
  client.close();
  if (after === before) throw new Error('The metrics count no statement of a check that missed.');
  return after - before;
}

/** Fills or empties the cache, as the rival needs it, and checks each user in turn at a fixed rate. */
async function check(
  environment: BenchEnvironment,
  rival: Rival,
  rate: { perSecond: number; seconds: number },
): Promise<CheckTurn> {
  const users = subscribedUsers(environment, 1_000);
  const checker = createChecker(processOf(rival, 'server').url, environment);
  if (rival.name === miss) await environment.cache.flushall();
  if (rival.name === hit) for (const user of users) await checker.check(user);
  const { cacheRedis, postgres } = environment.shared;
  const cpuOf = countCpu(processesOf(rival, { Redis: cacheRedis, Postgres: postgres }));
  const startedAt = performance.now();
  const request = async (number: number): Promise<void> => {
    await checker.check(users[number % users.length] ?? '');
  };
  const latencies = await openLoop({ ...rate, request });
  const value = (latencies.count / (performance.now() - startedAt)) * 1000;
  const cpu = cpuOf(latencies.count);
  failOnFailed(latencies, 'checks');
  checker.close();
  return { latencies, value, cpu, count: latencies.count };
}

async function startRivals(environment: BenchEnvironment): Promise<Rival[]> {
  const server = await environment.startApi();
  const constant = await environment.startPeer('servers/check/bare');
  return [
    { name: bare, does: 'answers a constant', running: { server: constant } },
    { name: hit, does: 'every user is in the cache', running: { server } },
    { name: miss, does: 'the cache is empty: Postgres, then the cache is filled', running: { server } },
  ];
}

function measure(
  environment: BenchEnvironment,
  rivals: readonly Rival[],
  { seconds, rounds, say }: Settings,
): Promise<Turns<CheckTurn>> {
  const variants = variantsOf(rivals, (rival) => check(environment, rival, { perSecond, seconds }));
  return takeTurns(variants, { title: scenario, rounds, say });
}

/** Latency at a modest fixed rate, from the moment at which each request was due; and many readers of one cold user. */
export const fixedRate: Scenario = {
  name: 'latency',
  isDefault: true,
  async run(environment, settings) {
    const rivals = await startRivals(environment);
    const turn = (rival: Rival) => {
      const rate = rival.name === miss ? warmPerSecond.miss : warmPerSecond.other;
      return check(environment, rival, { perSecond: rate, seconds: 2 });
    };
    await warmAll({ rivals, turn, settings });
    const turns = await measure(environment, rivals, settings);
    const herdStatements = await herd(environment, rivals);
    await stopAll(rivals);
    const timesHit = quotient(turns, [miss, hit], ({ latencies }) => latencies.p50);
    const latenciesOf = (name: string): Latencies[] =>
      (turns.get(name) ?? []).map(({ latencies }) => latencies);
    return [
      ...toRows(turns, { scenario, unit: 'req/s', reference: bare, variants: rivals }),
      ...latencyRows({ scenario, name: bare }, latenciesOf(bare)),
      ...latencyRows({ scenario, name: hit }, latenciesOf(hit)),
      ...latencyRows({ scenario, name: miss }, latenciesOf(miss), {
        p50: [atMost({ path: 'check, miss', figure: 'p50 ÷ a hit’s', reached: timesHit }, 1.8)],
      }),
      {
        scenario: 'herd on a cold user',
        name: `${readers} readers`,
        unit: 'statements',
        value: spreadOf([herdStatements]),
        goals: [
          atMost(
            { path: 'check, miss', figure: `statements of ${readers} at once`, reached: herdStatements },
            1,
          ),
        ],
      },
    ];
  },
};
