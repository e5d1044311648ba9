import { webhookSecret } from '../environment/set-up.ts';
import type { BenchEnvironment } from '../environment/set-up.ts';
import { webhookPath } from '../load/deliver.ts';
import { saturate } from '../load/saturate.ts';
import { takeTurns } from '../measure/take-turns.ts';
import { atLeast } from '../report/goal.ts';
import { quotient, rateOf, toRows, withGoals } from '../report/row.ts';
import { processesOf, processOf, stopAll, variantsOf, warmAll } from './rivals.ts';
import type { Rival } from './rivals.ts';
import type { Scenario } from './scenario.ts';

const scenario = 'webhook accepted';
const ours = 'our API';
const fastify = 'Fastify, verify and add';

const sameWork = 'the official signature check, the same projection, one `queue.add`, a counter';

/** Name, entry of its process and what it does. */
const peers = [
  ['node:http reading the body', 'bare', 'reads the body and answers. A floor, not a rival'],
  ['node:http, verify and add', 'http-same-work', sameWork],
  [fastify, 'fastify-same-work', `${sameWork}; Fastify's routing`],
  ['Express as it comes, verify and add', 'express-same-work', `${sameWork}; no setting changed`],
] as const;

async function startRivals(environment: BenchEnvironment): Promise<Rival[]> {
  const api = await environment.startApi();
  const does =
    'as built: verify, add, whether a job of that id waits, deadlines, limits, metrics, access log, request id';
  const rivals: Rival[] = [{ name: ours, does, running: { server: api } }];
  for (const [name, entry, what] of peers) {
    const server = await environment.startPeer(`servers/webhook/${entry}`);
    rivals.push({ name, does: what, running: { server } });
  }
  return rivals;
}

/** Accepting webhooks at full load; the jobs are deleted after each turn. */
export const webhook: Scenario = {
  name: 'webhook',
  isDefault: true,
  async run(environment, settings) {
    const { rounds, seconds, say } = settings;
    const rivals = await startRivals(environment);
    const saturated = async (rival: Rival, duration: number) => {
      const load = {
        connections: 32,
        seconds: duration,
        webhook: { secret: webhookSecret, path: webhookPath },
      };
      const redis = { Redis: environment.shared.queueRedis };
      const measured = await saturate(processOf(rival, 'server'), load, processesOf(rival, redis));
      await environment.queue.flushall();
      return measured;
    };
    await warmAll({ rivals, turn: (rival) => saturated(rival, 1), settings });
    const variants = variantsOf(rivals, (rival) => saturated(rival, seconds));
    const turns = await takeTurns(variants, { title: scenario, rounds, say });
    await stopAll(rivals);
    const rows = toRows(turns, { scenario, unit: 'req/s', reference: fastify, variants: rivals });
    const reached = quotient(turns, [ours, fastify], rateOf);
    return withGoals(rows, ours, [
      atLeast({ path: 'webhook accepted', figure: 'rate ÷ Fastify’s verify and add', reached }, 0.95),
    ]);
  },
};
