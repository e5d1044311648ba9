import { webhookSecret } from '../environment/set-up.ts';
import { saturate } from '../load/saturate.ts';
import { takeTurns } from '../measure/take-turns.ts';
import { atLeast, ratioOf, toRows, withGoals } from '../report/row.ts';
import type { Scenario } from './scenario.ts';

const scenario = 'webhook accepted';
const ours = 'our API';
const [bare, http, fastify, express] = [
  'node:http reading the body',
  'node:http, verify and add',
  'Fastify, verify and add',
  'Express as it comes, verify and add',
] as const;

/** Accepting webhooks at full load; the jobs are deleted after each turn. */
export const webhook: Scenario = {
  name: 'webhook',
  isDefault: true,
  async run(environment, { rounds, seconds, say }) {
    const servers = new Map([
      [ours, await environment.startApi({ LOG_LEVEL: 'info' })],
      [bare, await environment.startPeer('servers/webhook/bare')],
      [http, await environment.startPeer('servers/webhook/http-same-work')],
      [fastify, await environment.startPeer('servers/webhook/fastify-same-work')],
      [express, await environment.startPeer('servers/webhook/express-same-work')],
    ]);
    const load = {
      connections: 32,
      seconds,
      webhook: { secret: webhookSecret, path: '/api/v1/webhooks/stripe' },
    };
    const variants = [...servers].map(([name, server]) => ({
      name,
      measure: async () => {
        const measured = await saturate(server, load);
        await environment.queue.flushall();
        return measured;
      },
    }));
    const turns = await takeTurns(variants, { title: scenario, rounds, say });
    await Promise.all([...servers.values()].map((server) => server.stop()));
    const rows = toRows(turns, { scenario, unit: 'req/s', reference: bare });
    return withGoals(rows, ours, [atLeast('of Fastify', ratioOf(turns, ours, fastify), 0.9)]);
  },
};
