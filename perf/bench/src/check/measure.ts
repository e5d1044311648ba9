import type { PlannedScenario } from '../scenarios/run-scenarios.ts';
import { runScenarios } from '../scenarios/run-scenarios.ts';
import { scenarios } from '../scenarios/scenarios.ts';
import type { Row } from '../report/row.ts';
import type { BenchEnvironment } from '../environment/set-up.ts';

/**
 * Some two minutes of measuring. The baseline is made by the same plan: how warm a process is when its turn comes is
 * scenario of the ratio. Webhooks get longer rounds: one second of them is a few hundred, and V8 still compiles.
 */
const plan = new Map([
  ['hit', { rounds: 3, seconds: 1 }],
  ['latency', { rounds: 2, seconds: 2 }],
  ['webhook', { rounds: 2, seconds: 3 }],
  ['worker', { rounds: 1, seconds: 1.5 }],
  ['visible', { rounds: 1, seconds: 5 }],
  ['checkout', { rounds: 1, seconds: 3 }],
]);

/** Runs the plan, or those scenarios of it that are named. */
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

/** What ratios depend on besides the code. */
export async function describeServers({
  queue,
  database,
}: BenchEnvironment): Promise<{ redis: string; postgres: string }> {
  const [, redis = 'unknown'] = /^redis_version:(\S+)/m.exec(await queue.info('server')) ?? [];
  const { rows } = await database.query<{ server_version: string }>('SHOW server_version');
  return { redis, postgres: rows[0]?.server_version ?? 'unknown' };
}
