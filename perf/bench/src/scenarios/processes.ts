import type { BenchEnvironment } from '../environment/set-up.ts';
import { saturate } from '../load/saturate.ts';
import { takeTurns } from '../measure/take-turns.ts';
import { toRows } from '../report/row.ts';
import { processesOf, processOf, stopAll, variantsOf, warmAll } from './rivals.ts';
import type { Rival } from './rivals.ts';
import { checkPath, createChecker, subscribedUsers } from './scenario.ts';
import type { Scenario } from './scenario.ts';

const scenario = 'check, cache hit, API_PROCESSES';

async function startRival(environment: BenchEnvironment, count: string): Promise<Rival> {
  const server = await environment.startApi({ API_PROCESSES: count });
  const checker = createChecker(server.url, environment);
  for (const user of subscribedUsers(environment, 200)) await checker.check(user);
  checker.close();
  return { name: count, does: `API_PROCESSES=${count}`, running: { server } };
}

/** One process against two on the same port. On two cores they share the CPU with the load generator and Redis. */
export const processes: Scenario = {
  name: 'processes',
  isDefault: false,
  async run(environment, settings) {
    const { rounds, seconds, say } = settings;
    const rivals = [await startRival(environment, '1'), await startRival(environment, '2')];
    const load = {
      connections: 64,
      apiKey: environment.seeded.apiKey,
      paths: subscribedUsers(environment, 200).map(checkPath),
    };
    const saturated = (rival: Rival, duration: number) => {
      const redis = { Redis: environment.shared.cacheRedis };
      return saturate(processOf(rival, 'server'), { ...load, seconds: duration }, processesOf(rival, redis));
    };
    await warmAll({ rivals, turn: (rival) => saturated(rival, 1), settings });
    const variants = variantsOf(rivals, (rival) => saturated(rival, seconds));
    const turns = await takeTurns(variants, { title: scenario, rounds, say });
    await stopAll(rivals);
    return toRows(turns, { scenario, unit: 'req/s', reference: '1', variants: rivals });
  },
};
