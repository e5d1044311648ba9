import type { BenchEnvironment } from '../../environment/set-up.ts';
import { saturate } from '../../load/saturate.ts';
import type { Load, Saturated } from '../../load/saturate.ts';
import { processesOf, processOf } from '../rivals.ts';
import type { Rival } from '../rivals.ts';
import type { UsageShop } from './set-up-usage.ts';

export const ours = 'our API';
export const bare = 'node:http reading the body';
export const lean = 'one statement, one commit a call';

/** What takes usage: ours, the floor, and what is built first. They are asked the same. */
export async function startTakers(environment: BenchEnvironment, shop: UsageShop): Promise<Rival[]> {
  const { peersDatabase } = environment;
  await peersDatabase.query(
    `INSERT INTO lean.balances (user_id, granted) SELECT unnest($1::text[]), 1000000000000 ON CONFLICT DO NOTHING`,
    [[shop.hotUserId, ...shop.userIds]],
  );
  const server = await environment.startApi();
  const constant = await environment.startPeer('servers/webhook/bare');
  const oneCommit = await environment.startPeer('servers/usage/lean', { BENCH_API_KEY: shop.apiKey });
  return [
    {
      name: ours,
      does: 'as built: key, body, limits, metrics; decided by all sources under the lock of the row; event, id, state and series committed in groups; the copy in Redis',
      running: { server },
    },
    { name: bare, does: 'reads the body and answers. A floor, not a rival', running: { server: constant } },
    {
      name: lean,
      does: 'node:http and one prepared `pg` statement for each call: balance and event, nothing else',
      running: { server: oneCommit },
    },
  ];
}

/** Full load on one rival; the CPU of Postgres and Redis is a part of what it costs. */
export function saturated(environment: BenchEnvironment, rival: Rival, load: Load): Promise<Saturated> {
  const { cacheRedis, postgres } = environment.shared;
  const servers = { Redis: cacheRedis, Postgres: postgres };
  return saturate(processOf(rival, 'server'), load, processesOf(rival, servers));
}
