import type { BenchEnvironment } from '../environment/set-up.ts';
import type { Running } from '../environment/start-process.ts';
import { saturate } from '../load/saturate.ts';
import { takeTurns } from '../measure/take-turns.ts';
import type { Measured } from '../measure/take-turns.ts';
import { atLeast, atMost } from '../report/goal.ts';
import { quotient, rateOf, toRows, withGoals } from '../report/row.ts';
import { peerKeys, peerGeneration } from '../servers/check/same-work.ts';
import { processesOf, processOf, stopAll, variantsOf, warmAll } from './rivals.ts';
import type { Rival } from './rivals.ts';
import { checkPath, createChecker, subscribedUsers } from './scenario.ts';
import type { Scenario } from './scenario.ts';

const scenario = 'check, cache hit';
const ours = 'our API';
const http = 'node:http, same work';
const fastify = 'Fastify, same work';

const sameWork =
  'digest of the key, one MGET of generation and entry (pipelined), metrics, request id, the same headers and bytes';

/** Name, entry of its process and what it does. */
const peers = [
  [
    'bare node:http',
    'bare',
    'answers a constant: it never waits, so it keeps the load generator awake and pays no wake-ups. A floor, not a rival',
  ],
  [http, 'http-same-work', `${sameWork}; no routing, no guarantees`],
  [fastify, 'fastify-same-work', `${sameWork}; Fastify's routing`],
  ['Express as it comes, same work', 'express-same-work', `${sameWork}; no setting changed`],
] as const;

/** Fills our cache, and gives the peers the same bytes that our API answers. */
async function fillCaches(
  environment: BenchEnvironment,
  api: Running,
  users: readonly string[],
): Promise<void> {
  await environment.cache.set(peerKeys.generation, peerGeneration);
  const checker = createChecker(api.url, environment);
  for (const user of users) {
    const { text } = await checker.check(user);
    const answer = text.slice(0, text.lastIndexOf(',"checked_at"'));
    await environment.cache.set(peerKeys.user(user), `${peerGeneration}|${answer}`);
  }
  checker.close();
}

async function startRivals(environment: BenchEnvironment): Promise<{ api: Running; rivals: Rival[] }> {
  const api = await environment.startApi({ ENTITLEMENT_CACHE_TTL_SECONDS: '3600' });
  const does =
    'as built: key, cache with its version check, metrics, sampled access log, request id, headers';
  const rivals: Rival[] = [{ name: ours, does, running: { server: api } }];
  for (const [name, entry, what] of peers) {
    const settings = { BENCH_API_KEY: environment.seeded.apiKey };
    const server = await environment.startPeer(`servers/check/${entry}`, settings);
    rivals.push({ name, does: what, running: { server } });
  }
  return { api, rivals };
}

const cpuOfServer = ({ cpu }: Pick<Measured, 'cpu'>): number => cpu['server'] ?? 0;

/** The API's cache hits at full load, beside servers that do less. */
export const checkHit: Scenario = {
  name: 'hit',
  isDefault: true,
  async run(environment, settings) {
    const { rounds, seconds, say } = settings;
    const { api, rivals } = await startRivals(environment);
    const users = subscribedUsers(environment, 200);
    const paths = users.map(checkPath);
    await fillCaches(environment, api, users);
    const saturated = (rival: Rival, duration: number) => {
      const load = { connections: 64, seconds: duration, apiKey: environment.seeded.apiKey, paths };
      return saturate(
        processOf(rival, 'server'),
        load,
        processesOf(rival, { Redis: environment.shared.cacheRedis }),
      );
    };
    await warmAll({ rivals, turn: (rival) => saturated(rival, 1), settings });
    const variants = variantsOf(rivals, (rival) => saturated(rival, seconds));
    const turns = await takeTurns(variants, { title: scenario, rounds, say });
    await stopAll(rivals);
    const rows = toRows(turns, { scenario, unit: 'req/s', reference: http, variants: rivals });
    const path = 'check, hit';
    return withGoals(rows, ours, [
      atMost(
        {
          path,
          figure: 'CPU of the server ÷ node:http’s',
          reached: quotient(turns, [ours, http], cpuOfServer),
        },
        1.1,
      ),
      atLeast({ path, figure: 'rate ÷ Fastify’s', reached: quotient(turns, [ours, fastify], rateOf) }, 1),
    ]);
  },
};
