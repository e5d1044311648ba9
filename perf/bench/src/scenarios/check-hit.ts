import type { BenchEnvironment } from '../environment/set-up.ts';
import type { Running } from '../environment/start-process.ts';
import { saturate } from '../load/saturate.ts';
import { takeTurns } from '../measure/take-turns.ts';
import { atLeast, atMost, cpuOf, ratioOf, toRows, withGoals } from '../report/row.ts';
import { peerKeys, peerGeneration } from '../servers/check/same-work.ts';
import { checkPath, createChecker, subscribedUsers } from './scenario.ts';
import type { Scenario } from './scenario.ts';

const scenario = 'check, cache hit';
const ours = 'our API';
const [bare, http, fastify, express] = [
  'bare node:http',
  'node:http, same work',
  'Fastify, same work',
  'Express as it comes, same work',
] as const;

/** Fills our cache, and gives the peers the same bytes that our API answers. */
async function warm(environment: BenchEnvironment, api: Running, users: readonly string[]): Promise<void> {
  await environment.cache.set(peerKeys.generation, peerGeneration);
  const checker = createChecker(api.url, environment);
  for (const user of users) {
    const { text } = await checker.check(user);
    const answer = text.slice(0, text.lastIndexOf(',"checked_at"'));
    await environment.cache.set(peerKeys.user(user), `${peerGeneration}|${answer}`);
  }
  checker.close();
}

/** The API's cache hits at full load, beside servers that do less. */
export const checkHit: Scenario = {
  name: 'hit',
  isDefault: true,
  async run(environment, { rounds, seconds, say }) {
    const { apiKey } = environment.seeded;
    const peer = { BENCH_API_KEY: apiKey };
    const api = await environment.startApi({ ENTITLEMENT_CACHE_TTL_SECONDS: '3600' });
    const servers = new Map([
      [ours, api],
      [bare, await environment.startPeer('servers/check/bare', peer)],
      [http, await environment.startPeer('servers/check/http-same-work', peer)],
      [fastify, await environment.startPeer('servers/check/fastify-same-work', peer)],
      [express, await environment.startPeer('servers/check/express-same-work', peer)],
    ]);
    const users = subscribedUsers(environment, 200);
    const load = { connections: 64, seconds, apiKey, paths: users.map(checkPath) };
    await warm(environment, api, users);
    const variants = [...servers].map(([name, server]) => ({ name, measure: () => saturate(server, load) }));
    const turns = await takeTurns(variants, { title: scenario, rounds, say });
    await Promise.all([...servers.values()].map((server) => server.stop()));
    const rows = toRows(turns, { scenario, unit: 'req/s', reference: bare });
    return withGoals(rows, ours, [
      atLeast('of bare', ratioOf(turns, ours, bare), 0.45),
      atLeast('of Fastify', ratioOf(turns, ours, fastify), 0.85),
      atLeast('× Express', ratioOf(turns, ours, express), 2.5),
      atMost('CPU × bare', cpuOf(turns, ours) / cpuOf(turns, bare), 2.5),
    ]);
  },
};
