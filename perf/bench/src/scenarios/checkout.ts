import { createHttpClient } from '../load/http-client.ts';
import { failOnFailed, openLoop } from '../load/open-loop.ts';
import { median, spreadOf } from '../measure/statistics.ts';
import { inRounds } from '../measure/take-turns.ts';
import { atMost, latencyRows } from '../report/row.ts';
import { sumOfMetrics } from './scenario.ts';
import type { Scenario } from './scenario.ts';

const scenario = 'checkout, 10/s open loop';
const perSecond = 10;
const stripeSeconds = /^stripe_request_duration_seconds_sum\{[^}]*\} ([\d.e+-]+)/gm;

/** Checkouts at a fixed rate, also less the time that Stripe (here the offline one) took on average. */
export const checkout: Scenario = {
  name: 'checkout',
  isDefault: true,
  async run(environment, { rounds, seconds, say }) {
    const api = await environment.startApi();
    const client = createHttpClient(api.url);
    const { seeded } = environment;
    let user = seeded.checkoutFrom;
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
    const results = await inRounds({ title: scenario, rounds, say }, async () => {
      const before = await sumOfMetrics(client, stripeSeconds);
      const whole = await openLoop({ perSecond, seconds, request: create });
      failOnFailed(whole, 'checkouts');
      const stripeMs = (((await sumOfMetrics(client, stripeSeconds)) - before) * 1000) / whole.count;
      return { whole, own: whole.p95 - stripeMs };
    });
    client.close();
    await api.stop();
    const whole = results.map((result) => result.whole);
    const own = results.map((result) => result.own);
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
