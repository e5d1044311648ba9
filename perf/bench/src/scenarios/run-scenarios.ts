import type { Row } from '../report/row.ts';
import type { BenchEnvironment } from '../environment/set-up.ts';
import type { Scenario, Settings } from './scenario.ts';

export type PlannedScenario = { scenario: Scenario; settings: Settings };

/** Runs scenarios one after another on one environment; all their rows. */
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
