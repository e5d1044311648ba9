import type { BenchEnvironment } from '../../environment/set-up.ts';
import { takeTurns } from '../../measure/take-turns.ts';
import { atLeast } from '../../report/goal.ts';
import { quotient, rateOf, toRows, withGoals } from '../../report/row.ts';
import type { Row } from '../../report/row.ts';
import { processOf, variantsOf, warmAll } from '../rivals.ts';
import type { Rival } from '../rivals.ts';
import { checkPath } from '../scenario.ts';
import type { Settings } from '../scenario.ts';
import { checkOf, fillCache } from './set-up-usage.ts';
import type { UsageShop } from './set-up-usage.ts';
import { ours, saturated } from './usage-rivals.ts';

const scenario = 'usage, check with balance from a copy';
const check = 'our API, GET /check';
const hit = 'our API, GET /entitlements';
/** As many as in the scenario `hit`. */
const users = 200;

/** A check beside a hit of the same process and the same users. */
export async function usageChecks(
  environment: BenchEnvironment,
  { shop, rivals, settings }: { shop: UsageShop; rivals: readonly Rival[]; settings: Settings },
): Promise<Row[]> {
  const { rounds, seconds, say } = settings;
  const api = rivals.find(({ name }) => name === ours);
  if (api === undefined) throw new Error('There is no API to ask.');
  const server = processOf(api, 'server');
  const asked = shop.userIds.slice(0, users);
  const variants = [
    {
      name: check,
      does: 'the entitlement and the balance, one round trip',
      running: { server },
      pathOf: checkOf,
    },
    { name: hit, does: 'as in the scenario `hit`', running: { server }, pathOf: checkPath },
  ];
  type Variant = (typeof variants)[number];
  const turn = async (variant: Variant, duration: number) => {
    const paths = asked.map(variant.pathOf);
    await fillCache(server.url, shop.apiKey, paths);
    return saturated(environment, variant, {
      connections: 64,
      seconds: duration,
      apiKey: shop.apiKey,
      paths,
    });
  };
  await warmAll({ rivals: variants, turn: (variant) => turn(variant, 1), settings });
  const measured = variantsOf(variants, (variant) => turn(variant, seconds));
  const turns = await takeTurns(measured, { title: scenario, rounds, say });
  const rows = toRows(turns, { scenario, unit: 'req/s', reference: hit, variants });
  const reached = quotient(turns, [check, hit], rateOf);
  return withGoals(rows, check, [
    atLeast({ path: 'usage', figure: 'check with balance, rate ÷ a hit’s', reached }, 0.85),
  ]);
}
