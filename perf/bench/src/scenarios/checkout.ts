import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { waitFor } from '@billing/testing';
import { z } from 'zod';
import type { BenchEnvironment } from '../environment/set-up.ts';
import { createHttpClient } from '../load/http-client.ts';
import type { HttpClient } from '../load/http-client.ts';
import { failOnFailed, latenciesOf, openLoop } from '../load/open-loop.ts';
import type { Latencies } from '../load/open-loop.ts';
import { scratchFile } from '../load/scratch-file.ts';
import { countCpu } from '../measure/cpu-time.ts';
import type { Processes } from '../measure/cpu-time.ts';
import { median } from '../measure/statistics.ts';
import { takeTurns } from '../measure/take-turns.ts';
import type { Measured } from '../measure/take-turns.ts';
import { entries } from '../paths.ts';
import { atMost } from '../report/goal.ts';
import { latencyRows, toRows } from '../report/row.ts';
import { processesOf, processOf, stopAll, warmAll } from './rivals.ts';
import type { Rival } from './rivals.ts';
import type { Scenario } from './scenario.ts';

const scenario = 'checkout, 10/s open loop';
const perSecond = 10;
/** At 10 a second nothing becomes warm within a benchmark. */
const warmPerSecond = 40;
/** A round is this many times as long as elsewhere: 10 a second are few. */
const longer = 4;
const name = 'our API';
const stripeTime = z.object({ id: z.string(), stripeMs: z.number() });

type Turn = Measured & { whole: Latencies; own: Latencies; stripe: Latencies; count: number };

/** Creates checkouts for the seeded buyers in turn; each has an id, by which its time at Stripe is found. */
function createBuyers({ seeded }: BenchEnvironment, client: HttpClient): (id: string) => Promise<void> {
  let user = seeded.checkoutFrom;
  return async (id) => {
    user = user >= seeded.userCount ? seeded.checkoutFrom : user + 1;
    const body = JSON.stringify({
      user_id: `${seeded.userPrefix}${user}`,
      price_id: seeded.priceId,
      mode: 'subscription',
      success_url: 'https://example.com/success',
      cancel_url: 'https://example.com/cancel',
    });
    const headers = {
      authorization: `Bearer ${seeded.apiKey}`,
      'content-type': 'application/json',
      'x-bench-id': id,
    };
    const reply = await client.send({ method: 'POST', path: '/api/v1/checkout/create', headers, body });
    if (reply.status !== 200) throw new Error(`The checkout answered ${reply.status}: ${reply.text}`);
  };
}

/** How long each checkout waited for Stripe, by its id; the API writes them after its answers. */
async function readStripeTimes(file: string, count: number): Promise<Map<string, number>> {
  const read = (): string[] => readFileSync(file, 'utf8').split('\n').slice(0, -1);
  await waitFor(() => read().length >= count, { timeoutMs: 5_000, what: 'the times at Stripe' });
  return new Map(
    read().map((line) => {
      const { id, stripeMs } = stripeTime.parse(JSON.parse(line));
      return [id, stripeMs];
    }),
  );
}

type Load = {
  buy: (id: string) => Promise<void>;
  timesFile: string;
  processes: Processes;
  perSecond: number;
  seconds: number;
};

/** Checkouts at a fixed rate: each one's whole time, what it waited for Stripe, and the rest, which is ours. */
async function measure({ buy, timesFile, processes, ...rate }: Load): Promise<Turn> {
  writeFileSync(timesFile, '');
  const wholeMs = new Map<string, number>();
  const cpuOf = countCpu(processes);
  const startedAt = performance.now();
  const loop = await openLoop({
    ...rate,
    request: async (number, since) => {
      await buy(String(number));
      wholeMs.set(String(number), performance.now() - since);
    },
  });
  const value = (loop.count / (performance.now() - startedAt)) * 1000;
  const cpu = cpuOf(loop.count);
  failOnFailed(loop, 'checkouts');
  const stripeMs = await readStripeTimes(timesFile, loop.count);
  if (![...stripeMs.values()].some((ms) => ms > 0)) throw new Error('The API was not seen to call Stripe.');
  const ownMs = [...wholeMs].map(([id, whole]) => whole - (stripeMs.get(id) ?? Number.NaN));
  const [whole, own] = [latenciesOf([...wholeMs.values()]), latenciesOf(ownMs)];
  return { value, cpu, whole, own, stripe: latenciesOf([...stripeMs.values()]), count: loop.count };
}

/** Checkouts over the offline Stripe; of each the time in calls to Stripe is subtracted. */
export const checkout: Scenario = {
  name: 'checkout',
  isDefault: true,
  async run(environment, settings) {
    const { rounds, seconds, say } = settings;
    const timesFile = scratchFile('times.jsonl');
    const observer = pathToFileURL(entries.bench('servers/stripe-times'));
    const server = await environment.startApi({
      NODE_OPTIONS: `--import ${observer.href}`,
      BENCH_STRIPE_TIMES: timesFile,
    });
    const rival: Rival = {
      name,
      does: 'reads, asks Stripe for a session, remembers',
      running: { API: server },
    };
    const { postgres, cacheRedis } = environment.shared;
    const client = createHttpClient(processOf(rival, 'API').url);
    const load = {
      buy: createBuyers(environment, client),
      timesFile,
      processes: processesOf(rival, { Postgres: postgres, Redis: cacheRedis }),
    };
    const turn = () => measure({ ...load, perSecond: warmPerSecond, seconds: 2.5 });
    await warmAll({ rivals: [rival], turn, settings });
    const turns = await takeTurns(
      [{ name, measure: () => measure({ ...load, perSecond, seconds: longer * seconds }) }],
      { title: scenario, rounds, say },
    );
    client.close();
    await stopAll([rival]);
    const results = turns.get(name) ?? [];
    const p95 = median(results.map(({ own }) => own.p95));
    const rows = toRows(turns, { scenario, unit: 'req/s', reference: name, variants: [rival] });
    return [
      ...rows.map(({ ratio: _itself, ...row }) => row),
      ...latencyRows(
        { scenario, name: 'whole' },
        results.map(({ whole }) => whole),
      ),
      ...latencyRows(
        { scenario, name: 'waiting for Stripe' },
        results.map(({ stripe }) => stripe),
      ),
      ...latencyRows(
        { scenario, name: 'our part' },
        results.map(({ own }) => own),
        {
          p95: [atMost({ path: 'checkout', figure: 'our part p95, ms', reached: p95 }, 10)],
        },
      ),
    ];
  },
};
