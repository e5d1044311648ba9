import type { BenchEnvironment } from '../../environment/set-up.ts';
import { median, spreadOf } from '../../measure/statistics.ts';
import { inRounds } from '../../measure/take-turns.ts';
import { atLeast, atMost } from '../../report/goal.ts';
import { cpuOfAll, latencyRows, medianCpu } from '../../report/row.ts';
import type { Row } from '../../report/row.ts';
import type { Scenario, Settings } from '../scenario.ts';
import { drainDeliveries } from './drain-deliveries.ts';
import { setUpWebhooks } from './set-up-webhooks.ts';
import type { WebhookShop } from './set-up-webhooks.ts';
import { perSecond, tellChanges } from './tell-changes.ts';

const path = 'webhooks out';
/** Each round is this many times as long as elsewhere, as there are only 100 changes in a second. */
const longer = 4;
const deliveries = 3_000;
const manyEndpoints = 4;

async function tellingRows(
  environment: BenchEnvironment,
  shop: WebhookShop,
  { rounds, seconds, say }: Settings,
): Promise<Row[]> {
  const scenario = `webhooks out, ${perSecond} changes/s`;
  const endpoint = await shop.makeEndpoint();
  const measure = () => tellChanges(environment, shop, longer * seconds);
  // V8 and the connections become warm.
  await measure();
  await measure();
  const told = await inRounds({ title: scenario, rounds, say }, measure);
  await shop.deleteEndpoint(endpoint);
  const latencies = told.map((one) => one.latencies);
  const p95 = median(latencies.map((one) => one.p95));
  return [
    {
      scenario,
      name: 'told',
      unit: 'changes/s',
      does: 'a signed subscription event, its transaction, the emitter, the sender, a receiver that answers at once',
      value: spreadOf([perSecond]),
      cpuMicros: median(told.map(cpuOfAll)),
      cpu: medianCpu(told),
    },
    ...latencyRows({ scenario, name: 'from the commit to the arrival' }, latencies, {
      p95: [atMost({ path, figure: 'commit to arrival p95, ms', reached: p95 }, 250)],
    }),
  ];
}

async function drainingRows(
  environment: BenchEnvironment,
  shop: WebhookShop,
  { rounds, say }: Settings,
): Promise<Row[]> {
  const scenario = 'webhooks out, a backlog of deliveries';
  const endpoints: string[] = [];
  for (let count = 0; count < manyEndpoints; count += 1) endpoints.push(await shop.makeEndpoint());
  const rows: Row[] = [];
  for (const [name, endpointIds] of [
    ['one endpoint', endpoints.slice(0, 1)],
    [`${manyEndpoints} endpoints`, endpoints],
  ] as const) {
    let round = 0;
    const measure = () =>
      drainDeliveries(environment, shop, {
        endpointIds,
        count: deliveries,
        round: (round += 1),
      });
    await measure();
    const drained = await inRounds({ title: `${scenario}, ${name}`, rounds, say }, measure);
    const rates = drained.map(({ value }) => value);
    rows.push({
      scenario,
      name,
      unit: 'deliveries/s',
      does: 'one worker; eight requests at once for an endpoint',
      value: spreadOf(rates),
      cpuMicros: median(drained.map(cpuOfAll)),
      cpu: medianCpu(drained),
      goals: [atLeast({ path, figure: `deliveries a second, ${name}`, reached: median(rates) }, 300)],
    });
  }
  return rows;
}

/** What products are told: how soon after a change, and how many messages one worker delivers. */
export const webhooksOut: Scenario = {
  name: 'webhooks-out',
  isDefault: false,
  async run(environment, settings) {
    const shop = await setUpWebhooks(environment);
    try {
      const told = await tellingRows(environment, shop, settings);
      return [...told, ...(await drainingRows(environment, shop, settings))];
    } finally {
      await shop.stop();
    }
  },
};
