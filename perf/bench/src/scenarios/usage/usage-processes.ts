import type { BenchEnvironment } from '../../environment/set-up.ts';
import { takeTurns } from '../../measure/take-turns.ts';
import { toRows } from '../../report/row.ts';
import type { Row } from '../../report/row.ts';
import { stopAll, variantsOf, warmAll } from '../rivals.ts';
import type { Rival } from '../rivals.ts';
import type { Settings } from '../scenario.ts';
import { takeOf } from './set-up-usage.ts';
import type { UsageShop } from './set-up-usage.ts';
import { saturated } from './usage-rivals.ts';

const scenario = 'usage, enforced calls, API_PROCESSES';
const counts = ['1', '2', '4'] as const;

/** Several processes that take from the same accounts. */
export async function usageProcesses(
  environment: BenchEnvironment,
  { shop, settings }: { shop: UsageShop; settings: Settings },
): Promise<Row[]> {
  const { rounds, seconds, say } = settings;
  const rivals: Rival[] = [];
  for (const count of counts) {
    const server = await environment.startApi({ API_PROCESSES: count });
    rivals.push({ name: count, does: `API_PROCESSES=${count}`, running: { server } });
  }
  const { apiKey } = shop;
  const post = {
    path: '/api/v1/usage',
    bodies: shop.userIds.map((userId) => JSON.stringify(takeOf(userId))),
  };
  const turn = (rival: Rival, duration: number) =>
    saturated(environment, rival, { connections: 128, seconds: duration, apiKey, post });
  await warmAll({ rivals, turn: (rival) => turn(rival, 1), settings });
  const variants = variantsOf(rivals, (rival) => turn(rival, seconds));
  const turns = await takeTurns(variants, { title: scenario, rounds, say });
  await stopAll(rivals);
  return toRows(turns, { scenario, unit: 'takes/s', reference: counts[0], variants: rivals });
}
