import type { Row } from '../report/row.ts';
import type { BenchEnvironment } from '../environment/set-up.ts';

export type Settings = {
  rounds: number;
  /** Of one variant in one round. */
  seconds: number;
  say: (line: string) => void;
};

/** One scenario of the benchmark; `isDefault`: runs when none is picked. */
export type Scenario = {
  name: string;
  isDefault: boolean;
  run: (environment: BenchEnvironment, settings: Settings) => Promise<Row[]>;
};
