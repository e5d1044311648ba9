import { saturate } from '../load/saturate.ts';
import { takeTurns } from '../measure/take-turns.ts';
import { atLeast, ratioOf, toRows, withGoals } from '../report/row.ts';
import { webhookSecret } from '../stage/set-stage.ts';
import type { Part } from './part.ts';

const part = 'webhook accepted';
const ours = 'our API';
const [bare, http, fastify, express] = [
  'node:http reading the body',
  'node:http, verify and add',
  'Fastify, verify and add',
  'Express as it comes, verify and add',
] as const;

/** Accepting webhooks as fast as they come; the jobs are thrown away after each turn. */
export const webhook: Part = {
  name: 'webhook',
  isDefault: true,
  async run(stage, { rounds, seconds, say }) {
    const servers = new Map([
      [ours, await stage.startApi({ LOG_LEVEL: 'info' })],
      [bare, await stage.startPeer('servers/webhook/bare')],
      [http, await stage.startPeer('servers/webhook/http-same-work')],
      [fastify, await stage.startPeer('servers/webhook/fastify-same-work')],
      [express, await stage.startPeer('servers/webhook/express-same-work')],
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
        await stage.queue.flushall();
        return measured;
      },
    }));
    const turns = await takeTurns(variants, rounds, (round) => say(`${part}: round ${round} of ${rounds}`));
    await Promise.all([...servers.values()].map((server) => server.stop()));
    const rows = toRows(turns, { part, unit: 'req/s', yardstick: bare });
    return withGoals(rows, ours, [atLeast('of Fastify', ratioOf(turns, ours, fastify), 0.9)]);
  },
};
