import { runScenarios, scenarios } from '../scenarios/scenarios.ts';
import type { PlannedScenario } from '../scenarios/scenarios.ts';
import type { Row } from '../report/row.ts';
import type { Surroundings } from '../environment/set-up.ts';

/** Some six minutes, most of them warming up. The baseline is made by the same plan. */
const plan = new Map([
  ['hit', { rounds: 3, seconds: 1 }],
  ['latency', { rounds: 2, seconds: 2 }],
  ['webhook', { rounds: 3, seconds: 2 }],
  ['lone', { rounds: 2, seconds: 1.5 }],
  ['worker', { rounds: 2, seconds: 1.5 }],
  ['checkout', { rounds: 1, seconds: 2 }],
]);

export type MeasureOptions = {
  say: (line: string) => void;
  /** When a warm-up is given up. */
  warmSeconds: number;
  only?: ReadonlySet<string>;
};

/** Runs the plan, or only the named scenarios of it. */
export function measure(
  environment: Surroundings,
  { say, warmSeconds, only }: MeasureOptions,
): Promise<Row[]> {
  const planned = scenarios.flatMap((scenario): PlannedScenario[] => {
    const settings = plan.get(scenario.name);
    if (settings === undefined || only?.has(scenario.name) === false) return [];
    return [{ scenario, settings: { ...settings, warmSeconds, say } }];
  });
  return runScenarios(environment, planned);
}

/** The versions of the servers, on which ratios depend too. */
export async function describeServers({
  queue,
  database,
}: Surroundings): Promise<{ redis: string; postgres: string }> {
  const [, redis = 'unknown'] = /^redis_version:(\S+)/m.exec(await queue.info('server')) ?? [];
  const { rows } = await database.query<{ server_version: string }>('SHOW server_version');
  return { redis, postgres: rows[0]?.server_version ?? 'unknown' };
}
