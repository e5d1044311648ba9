import { runScenarios, scenarios } from '../scenarios/scenarios.ts';
import type { PlannedScenario } from '../scenarios/scenarios.ts';
import type { Row } from '../report/row.ts';
import type { BenchEnvironment } from '../environment/set-up.ts';

/**
 * About two minutes of measuring. The baseline is made by the same plan, because ratios depend on how warm a process
 * is. Webhooks get longer rounds: one second of them is only a few hundred, while V8 still compiles.
 */
const plan = new Map([
  ['hit', { rounds: 3, seconds: 1 }],
  ['latency', { rounds: 2, seconds: 2 }],
  ['webhook', { rounds: 2, seconds: 3 }],
  ['worker', { rounds: 1, seconds: 1.5 }],
  ['visible', { rounds: 1, seconds: 5 }],
  ['checkout', { rounds: 1, seconds: 3 }],
]);

/** Runs the plan, or only the named scenarios of it. */
export function measure(
  environment: BenchEnvironment,
  { say, only }: { say: (line: string) => void; only?: ReadonlySet<string> },
): Promise<Row[]> {
  const planned = scenarios.flatMap((scenario): PlannedScenario[] => {
    const settings = plan.get(scenario.name);
    if (settings === undefined || only?.has(scenario.name) === false) return [];
    return [{ scenario, settings: { ...settings, say } }];
  });
  return runScenarios(environment, planned);
}

/** The versions of the servers, on which ratios depend too. */
export async function describeServers({
  queue,
  database,
}: BenchEnvironment): Promise<{ redis: string; postgres: string }> {
  const [, redis = 'unknown'] = /^redis_version:(\S+)/m.exec(await queue.info('server')) ?? [];
  const { rows } = await database.query<{ server_version: string }>('SHOW server_version');
  return { redis, postgres: rows[0]?.server_version ?? 'unknown' };
}
