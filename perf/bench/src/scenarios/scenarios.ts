import type { BenchEnvironment } from '../environment/set-up.ts';
import type { Row } from '../report/row.ts';
import { checkHit } from './check-hit.ts';
import { checkout } from './checkout.ts';
import { coldStart } from './cold-start.ts';
import { fixedRate } from './fixed-rate.ts';
import { processes } from './processes.ts';
import { queueMemory } from './queue-memory.ts';
import type { Scenario, Settings } from './scenario.ts';
import { soak } from './soak.ts';
import { visible } from './visible.ts';
import { webhook } from './webhook.ts';
import { worker } from './worker.ts';

/** All scenarios, in the order in which they run. */
export const scenarios: readonly Scenario[] = [
  checkHit,
  fixedRate,
  processes,
  webhook,
  worker,
  visible,
  checkout,
  queueMemory,
  coldStart,
  soak,
];

export type PlannedScenario = { scenario: Scenario; settings: Settings };

/** Runs scenarios one after another in one environment; returns all their rows. */
export async function runScenarios(
  environment: BenchEnvironment,
  planned: readonly PlannedScenario[],
): Promise<Row[]> {
  const rows: Row[] = [];
  for (const { scenario, settings } of planned) {
    settings.say(`Scenario "${scenario.name}"`);
    rows.push(...(await scenario.run(environment, settings)));
  }
  return rows;
}
