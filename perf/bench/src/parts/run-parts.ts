import type { Row } from '../report/row.ts';
import type { Stage } from '../stage/set-stage.ts';
import type { Part, Settings } from './part.ts';

export type PlannedPart = { part: Part; settings: Settings };

/** Runs parts one after another on one stage; all their rows. */
export async function runParts(stage: Stage, planned: readonly PlannedPart[]): Promise<Row[]> {
  const rows: Row[] = [];
  for (const { part, settings } of planned) {
    settings.say(`Part "${part.name}"`);
    rows.push(...(await part.run(stage, settings)));
  }
  return rows;
}
