import { randomUUID } from 'node:crypto';
import type { BenchEnvironment } from '../../environment/set-up.ts';
import { createHttpClient } from '../../load/http-client.ts';
import { failOnFailed, openLoop } from '../../load/open-loop.ts';
import type { Latencies } from '../../load/open-loop.ts';
import { countCpu } from '../../measure/cpu-time.ts';
import { median } from '../../measure/statistics.ts';
import { takeTurns } from '../../measure/take-turns.ts';
import type { Measured } from '../../measure/take-turns.ts';
import { atMost } from '../../report/goal.ts';
import { latencyRows, toRows } from '../../report/row.ts';
import type { Row } from '../../report/row.ts';
import { processesOf, processOf, variantsOf, warmAll } from '../rivals.ts';
import type { Rival } from '../rivals.ts';
import type { Settings } from '../scenario.ts';
import { takeOf } from './set-up-usage.ts';
import type { UsageShop } from './set-up-usage.ts';
import { lean, ours } from './usage-rivals.ts';

const scenario = 'usage, 100/s open loop';
const perSecond = 100;

type Turn = Measured & { latencies: Latencies; count: number };

/** Enforced calls of many users at a fixed rate. */
async function takeAtRate(
  environment: BenchEnvironment,
  rival: Rival,
  { shop, ...rate }: { shop: UsageShop; perSecond: number; seconds: number },
): Promise<Turn> {
  const client = createHttpClient(processOf(rival, 'server').url);
  const headers = { authorization: `Bearer ${shop.apiKey}`, 'content-type': 'application/json' };
  const { cacheRedis, postgres } = environment.shared;
  const cpuOf = countCpu(processesOf(rival, { Redis: cacheRedis, Postgres: postgres }));
  const startedAt = performance.now();
  const latencies = await openLoop({
    ...rate,
    request: async (number) => {
      const userId = shop.userIds[(number * 17) % shop.userIds.length] ?? '';
      const body = JSON.stringify({ ...takeOf(userId), event_id: randomUUID() });
      const { status, text } = await client.send({ method: 'POST', path: '/api/v1/usage', headers, body });
      if (status !== 200 || !text.includes('"recorded":true')) throw new Error(`answered ${status}: ${text}`);
    },
  });
  const value = (latencies.count / (performance.now() - startedAt)) * 1000;
  failOnFailed(latencies, 'takes');
  client.close();
  return { latencies, value, cpu: cpuOf(latencies.count), count: latencies.count };
}

/** How long a single call takes where nothing is in a hurry. */
export async function usageLatency(
  environment: BenchEnvironment,
  { shop, rivals: all, settings }: { shop: UsageShop; rivals: readonly Rival[]; settings: Settings },
): Promise<Row[]> {
  const { rounds, seconds, say } = settings;
  const rivals = all.filter(({ name }) => name === ours || name === lean);
  const turn = (rival: Rival) => takeAtRate(environment, rival, { shop, perSecond: 300, seconds: 2 });
  await warmAll({ rivals, turn, settings, leastCount: 1_000 });
  const variants = variantsOf(rivals, (rival) =>
    takeAtRate(environment, rival, { shop, perSecond, seconds }),
  );
  const turns = await takeTurns(variants, { title: scenario, rounds, say });
  const of = (name: string): Latencies[] => (turns.get(name) ?? []).map(({ latencies }) => latencies);
  const path = 'usage';
  const mine = of(ours);
  return [
    ...toRows(turns, { scenario, unit: 'takes/s', reference: lean, variants: rivals }),
    ...latencyRows({ scenario, name: ours }, mine, {
      p50: [
        atMost({ path, figure: 'enforced call p50, ms', reached: median(mine.map(({ p50 }) => p50)) }, 6),
      ],
      p95: [
        atMost({ path, figure: 'enforced call p95, ms', reached: median(mine.map(({ p95 }) => p95)) }, 15),
      ],
    }),
    ...latencyRows({ scenario, name: lean }, of(lean)),
  ];
}
