import { createHttpClient } from '../load/http-client.ts';
import { failOnFailed, latenciesOf, openLoop } from '../load/open-loop.ts';
import type { Latencies } from '../load/open-loop.ts';
import { sign } from '../load/signed-events.ts';
import { median } from '../measure/statistics.ts';
import { latencyRows } from '../report/latency-rows.ts';
import { atMost } from '../report/row.ts';
import { webhookSecret } from '../environment/set-up.ts';
import type { Scenario } from './scenario.ts';
import { createChecker } from './users.ts';

const scenario = 'webhook → right read, 100/s';
const perSecond = 100;
const patienceMs = 10_000;
/**
 * Looking is work for the very machine that is measured, as much as the change itself if done for each: every fifth is
 * watched, and looked for no oftener than the goal needs.
 */
const watchedEvery = 5;
const pollMs = 2;

const p95 = (rounds: readonly Latencies[]): number => median(rounds.map((round) => round.p95));

/** From a webhook that was due to its 200, and on to the first read that shows what it says. */
export const visible: Scenario = {
  name: 'visible',
  isDefault: true,
  async run(environment, { rounds, seconds, say }) {
    const [api, worker] = await Promise.all([environment.startApi(), environment.startWorker()]);
    const client = createHttpClient(api.url);
    const checker = createChecker(api.url, environment);
    const accepted: Latencies[] = [];
    const seen: Latencies[] = [];
    for (let round = 0; round <= rounds; round += 1) {
      const acceptedMs: number[] = [];
      const seenMs: number[] = [];
      const startedAt = performance.now() + 50;
      const latencies = await openLoop({
        perSecond,
        seconds,
        request: async (number) => {
          const { event, userId, quantity } = environment.nextEvent();
          const body = JSON.stringify(event);
          const headers = {
            'content-type': 'application/json',
            'stripe-signature': sign(body, webhookSecret),
          };
          const reply = await client.send({ method: 'POST', path: '/api/v1/webhooks/stripe', headers, body });
          if (reply.status !== 200) throw new Error(reply.text);
          const sinceDue = (): number => performance.now() - startedAt - (number * 1000) / perSecond;
          acceptedMs.push(sinceDue());
          if (number % watchedEvery !== 0) return;
          const givesUpAt = performance.now() + patienceMs;
          while (!(await checker.check(userId)).text.includes(`"quantity":${quantity},`)) {
            if (performance.now() > givesUpAt)
              throw new Error(`The change of ${userId} was not seen in time.`);
            await new Promise((resolve) => setTimeout(resolve, pollMs));
          }
          seenMs.push(sinceDue());
        },
      });
      say(`${scenario}: round ${round} of ${rounds}`);
      failOnFailed(latencies, 'changes');
      if (round === 0) continue;
      accepted.push(latenciesOf(acceptedMs));
      seen.push(latenciesOf(seenMs));
    }
    client.close();
    checker.close();
    await Promise.all([api.stop(), worker.stop()]);
    return [
      ...latencyRows({ scenario, name: 'accepted' }, accepted, { p95: [atMost('ms', p95(accepted), 6)] }),
      ...latencyRows({ scenario, name: 'visible' }, seen, { p95: [atMost('ms', p95(seen), 15)] }),
    ];
  },
};
