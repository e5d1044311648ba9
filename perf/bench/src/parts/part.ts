import type { Row } from '../report/row.ts';
import type { Stage } from '../stage/set-stage.ts';

export type Settings = {
  rounds: number;
  /** Of one variant in one round. */
  seconds: number;
  say: (line: string) => void;
};

/** One part of the benchmark; `isDefault`: runs when none is picked. */
export type Part = {
  name: string;
  isDefault: boolean;
  run: (stage: Stage, settings: Settings) => Promise<Row[]>;
};
