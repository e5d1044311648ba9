import { webhookSecret } from '../environment/set-up.ts';
import { createHttpClient } from '../load/http-client.ts';
import type { HttpClient } from '../load/http-client.ts';
import { failOnFailed, latenciesOf, openLoop } from '../load/open-loop.ts';
import type { Latencies } from '../load/open-loop.ts';
import { sign } from '../load/signed-events.ts';
import type { Change } from '../load/subscription-events.ts';
import { median } from '../measure/statistics.ts';
import { inRounds } from '../measure/take-turns.ts';
import { atMost, latencyRows } from '../report/row.ts';
import { createChecker } from './scenario.ts';
import type { Checker, Scenario } from './scenario.ts';

const scenario = 'webhook → right read, 100/s';
const perSecond = 100;
const longestWaitMs = 10_000;
/**
 * Polling costs the measured machine as much as the change itself: only every fifth change is watched, and polled no
 * more often than the goal needs.
 */
const watchedEvery = 5;
const pollMs = 2;

const p95 = (rounds: readonly Latencies[]): number => median(rounds.map((round) => round.p95));

async function deliver(client: HttpClient, { event }: Change): Promise<void> {
  const body = JSON.stringify(event);
  const headers = { 'content-type': 'application/json', 'stripe-signature': sign(body, webhookSecret) };
  const reply = await client.send({ method: 'POST', path: '/api/v1/webhooks/stripe', headers, body });
  if (reply.status !== 200) throw new Error(reply.text);
}

async function waitUntilVisible(checker: Checker, { userId, quantity }: Change): Promise<void> {
  const deadline = performance.now() + longestWaitMs;
  while (!(await checker.check(userId)).text.includes(`"quantity":${quantity},`)) {
    if (performance.now() > deadline) throw new Error(`The change of ${userId} was not seen in time.`);
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

/** From the moment a webhook was due to its 200, and on to the first read that shows its change. */
export const visible: Scenario = {
  name: 'visible',
  isDefault: true,
  async run(environment, { rounds, seconds, say }) {
    const [api, worker] = await Promise.all([environment.startApi(), environment.startWorker()]);
    const client = createHttpClient(api.url);
    const checker = createChecker(api.url, environment);
    const results = await inRounds({ title: scenario, rounds, say }, async () => {
      const acceptedMs: number[] = [];
      const seenMs: number[] = [];
      const startedAt = performance.now() + 50;
      const request = async (number: number): Promise<void> => {
        const sinceDue = (): number => performance.now() - startedAt - (number * 1000) / perSecond;
        const change = environment.nextEvent();
        await deliver(client, change);
        acceptedMs.push(sinceDue());
        if (number % watchedEvery !== 0) return;
        await waitUntilVisible(checker, change);
        seenMs.push(sinceDue());
      };
      failOnFailed(await openLoop({ perSecond, seconds, request }), 'changes');
      return { accepted: latenciesOf(acceptedMs), seen: latenciesOf(seenMs) };
    });
    client.close();
    checker.close();
    await Promise.all([api.stop(), worker.stop()]);
    const accepted = results.map((result) => result.accepted);
    const seen = results.map((result) => result.seen);
    return [
      ...latencyRows({ scenario, name: 'accepted' }, accepted, { p95: [atMost('ms', p95(accepted), 6)] }),
      ...latencyRows({ scenario, name: 'visible' }, seen, { p95: [atMost('ms', p95(seen), 15)] }),
    ];
  },
};
