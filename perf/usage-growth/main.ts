import { mkdirSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { createOfflineStripe } from '@billing/offline-stripe';
import { startPostgres } from '@billing/testing';
import { median } from '../bench/src/measure/statistics.ts';
import { takeTurns } from '../bench/src/measure/take-turns.ts';
import { openShop } from './shop.ts';
import type { Shop } from './shop.ts';

/*
 * What the number of stored events costs an enforced call: two databases on one Postgres with the same users, one without an event
 * and one with `--events`, and an API as built on each (run `npm run build` before). They take turns; while one is measured the other
 * is suspended. `--dir`: where the data lies, on the disk that is to be measured.
 */
const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '10000000' },
    users: { type: 'string', default: '10000' },
    rounds: { type: 'string', default: '7' },
    seconds: { type: 'string', default: '10' },
    'per-second': { type: 'string', default: '100' },
    dir: { type: 'string' },
  },
});
const users = Number(values.users);
const rate = { perSecond: Number(values['per-second']), seconds: Number(values.seconds) };
const say = (line: string): void => void process.stdout.write(`${line}\n`);

if (values.dir !== undefined) mkdirSync(values.dir, { recursive: true });
const offline = createOfflineStripe({ stateDir: null, webhookUrl: null, webhookSecret: 'whsec_unused' });
const settings = { shared_buffers: '512MB', max_wal_size: '4GB', maintenance_work_mem: '512MB' };
const [stripe, postgres] = await Promise.all([
  offline.listen(0),
  startPostgres({ ...(values.dir && { dir: values.dir }), settings }),
]);
const stripeUrl = stripe.url;
const empty = await openShop(postgres, { name: 'empty', users, events: 0, stripeUrl }, say);
const full = await openShop(postgres, { name: 'full', users, events: Number(values.events), stripeUrl }, say);
const shops = [empty, full];

async function alone<T>(shop: Shop, work: () => Promise<T>): Promise<T> {
  for (const other of shops) if (other !== shop) other.api.pause();
  shop.api.resume();
  return work();
}

for (const shop of shops) {
  await alone(shop, () => shop.touchAll());
  await alone(shop, () => shop.takeAtRate(rate));
  say(`${shop.name}: ${await shop.size()}`);
}
const turns = await takeTurns(
  shops.map((shop) => ({ name: shop.name, measure: () => alone(shop, () => shop.takeAtRate(rate)) })),
  { title: `${rate.perSecond} enforced calls a second`, rounds: Number(values.rounds), say },
);
const of = (shop: Shop, share: 'p50' | 'p95'): number[] =>
  (turns.get(shop.name) ?? []).map((latencies) => latencies[share]);
say('| database | p50, ms | p95, ms |\n| --- | --- | --- |');
for (const shop of shops)
  say(`| ${shop.name} | ${median(of(shop, 'p50')).toFixed(2)} | ${median(of(shop, 'p95')).toFixed(2)} |`);
for (const share of ['p50', 'p95'] as const) {
  const beside = of(empty, share);
  const times = median(of(full, share).map((value, round) => value / (beside[round] ?? Number.NaN)));
  say(`${share}: ${times.toFixed(2)} × that of the empty one`);
}
for (const shop of shops) await shop.stop();
await stripe.close();
await postgres.stop();
