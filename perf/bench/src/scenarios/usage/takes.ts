import type { BenchEnvironment } from '../../environment/set-up.ts';
import type { Saturated } from '../../load/saturate.ts';
import { takeTurns } from '../../measure/take-turns.ts';
import { atLeast } from '../../report/goal.ts';
import { quotient, rateOf, toRows, withGoals } from '../../report/row.ts';
import type { Row } from '../../report/row.ts';
import { median } from '../../measure/statistics.ts';
import { variantsOf, warmAll } from '../rivals.ts';
import type { Rival } from '../rivals.ts';
import type { Settings } from '../scenario.ts';
import { takeOf } from './set-up-usage.ts';
import type { UsageShop } from './set-up-usage.ts';
import { bare, lean, ours, saturated } from './usage-rivals.ts';

const takePath = '/api/v1/usage';
const batchSize = 500;

/** Who is asked, by how many connections, with which bodies. */
type Kind = {
  scenario: string;
  unit: string;
  path: string;
  connections: number;
  bodies: readonly string[];
  /** Events of one body. */
  events: number;
  rivals: readonly string[];
  reference: string;
};

const bodyOf = (userId: string): string => JSON.stringify(takeOf(userId));

const kinds = ({ userIds, hotUserId }: UsageShop) => ({
  single: {
    scenario: 'usage, single enforced calls of many users',
    unit: 'takes/s',
    path: takePath,
    connections: 128,
    bodies: userIds.map(bodyOf),
    events: 1,
    rivals: [ours, bare, lean],
    reference: bare,
  },
  hot: {
    scenario: 'usage, one hot counter',
    unit: 'takes/s',
    path: takePath,
    connections: 128,
    bodies: [bodyOf(hotUserId)],
    events: 1,
    rivals: [ours, lean],
    reference: lean,
  },
  batch: {
    scenario: `usage, batches of ${batchSize}`,
    unit: 'events/s',
    path: `${takePath}/batch`,
    connections: 8,
    bodies: Array.from({ length: 8 }, (_one, index) =>
      JSON.stringify({
        events: Array.from({ length: batchSize }, (_event, at) =>
          takeOf(userIds[(index * batchSize + at) % userIds.length] ?? ''),
        ),
      }),
    ),
    events: batchSize,
    rivals: [ours],
    reference: ours,
  },
});

async function measure(
  environment: BenchEnvironment,
  all: readonly Rival[],
  { kind, apiKey, settings }: { kind: Kind; apiKey: string; settings: Settings },
) {
  const { rounds, seconds, say } = settings;
  const rivals = all.filter(({ name }) => kind.rivals.includes(name));
  const turn = async (rival: Rival, duration: number): Promise<Saturated> => {
    const post = { path: kind.path, bodies: kind.bodies };
    const load = { connections: kind.connections, seconds: duration, apiKey, post };
    const { value, cpu, count } = await saturated(environment, rival, load);
    const each = Object.entries(cpu).map(([name, micros]) => [name, micros / kind.events] as const);
    return { value: value * kind.events, cpu: Object.fromEntries(each), count: count * kind.events };
  };
  await warmAll({ rivals, turn: (rival) => turn(rival, 1), settings });
  const variants = variantsOf(rivals, (rival) => turn(rival, seconds));
  const turns = await takeTurns(variants, { title: kind.scenario, rounds, say });
  const { scenario, unit, reference } = kind;
  return { turns, rows: toRows(turns, { scenario, unit, reference, variants: rivals }) };
}

/** Single calls beside the floor, one counter that everybody takes from, and batches. */
export async function takes(
  environment: BenchEnvironment,
  { shop, rivals, settings }: { shop: UsageShop; rivals: readonly Rival[]; settings: Settings },
): Promise<Row[]> {
  const { single, hot, batch } = kinds(shop);
  const { apiKey } = shop;
  const path = 'usage';
  const singles = await measure(environment, rivals, { kind: single, apiKey, settings });
  const hots = await measure(environment, rivals, { kind: hot, apiKey, settings });
  const batches = await measure(environment, rivals, { kind: batch, apiKey, settings });
  const rate = ({ turns }: typeof singles): number => median((turns.get(ours) ?? []).map(rateOf));
  const toBare = quotient(singles.turns, [ours, bare], rateOf);
  return [
    ...withGoals(singles.rows, ours, [
      atLeast({ path, figure: 'enforced calls, rate ÷ bare node:http’s', reached: toBare }, 0.14),
    ]),
    ...withGoals(hots.rows, ours, [
      atLeast({ path, figure: 'one hot counter, takes a second', reached: rate(hots) }, 800),
    ]),
    ...withGoals(batches.rows, ours, [
      atLeast({ path, figure: 'batches, events a second', reached: rate(batches) }, 8_000),
    ]),
  ];
}
