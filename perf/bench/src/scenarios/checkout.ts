import { createHttpClient } from '../load/http-client.ts';
import { failOnFailed, openLoop } from '../load/open-loop.ts';
import type { Latencies } from '../load/open-loop.ts';
import { median, spreadOf } from '../measure/statistics.ts';
import { latencyRows } from '../report/latency-rows.ts';
import { atMost } from '../report/row.ts';
import type { Scenario } from './scenario.ts';

const scenario = 'checkout, 10/s open loop';
const perSecond = 10;

/** How many seconds the API has waited for Stripe so far. */
async function stripeSeconds(client: ReturnType<typeof createHttpClient>): Promise<number> {
  const { text } = await client.send({ path: '/metrics' });
  const sums = text.matchAll(/^stripe_request_duration_seconds_sum\{[^}]*\} ([\d.e+-]+)/gm);
  return [...sums].reduce((total, [, sum]) => total + Number(sum), 0);
}

/** Our own scenario of a checkout: the whole less what Stripe (here the offline one) took on average. */
export const checkout: Scenario = {
  name: 'checkout',
  isDefault: true,
  async run(environment, { rounds, seconds, say }) {
    const api = await environment.startApi();
    const client = createHttpClient(api.url);
    const { seeded } = environment;
    let user = seeded.checkoutFrom;
    const whole: Latencies[] = [];
    const own: number[] = [];
    const create = async (): Promise<void> => {
      user = user >= seeded.userCount ? seeded.checkoutFrom : user + 1;
      const body = JSON.stringify({
        user_id: `${seeded.userPrefix}${user}`,
        price_id: seeded.priceId,
        mode: 'subscription',
        success_url: 'https://example.com/success',
        cancel_url: 'https://example.com/cancel',
      });
      const headers = { authorization: `Bearer ${seeded.apiKey}`, 'content-type': 'application/json' };
      const reply = await client.send({ method: 'POST', path: '/api/v1/checkout/create', headers, body });
      if (reply.status !== 200) throw new Error(`The checkout answered ${reply.status}: ${reply.text}`);
    };
    await create();
    for (let round = 0; round <= rounds; round += 1) {
      const before = await stripeSeconds(client);
      const latencies = await openLoop({ perSecond, seconds, request: create });
      failOnFailed(latencies, 'checkouts');
      const stripeMs = (((await stripeSeconds(client)) - before) * 1000) / latencies.count;
      say(`${scenario}: round ${round} of ${rounds}`);
      if (round === 0) continue;
      whole.push(latencies);
      own.push(latencies.p95 - stripeMs);
    }
    client.close();
    await api.stop();
    return [
      ...latencyRows({ scenario, name: 'whole' }, whole),
      {
        scenario,
        name: 'p95 less the mean of Stripe',
        unit: 'ms',
        value: spreadOf(own),
        goals: [atMost('ms', median(own), 20)],
      },
    ];
  },
};
