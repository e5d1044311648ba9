import type { WorkerDeps } from '@billing/worker';
import type { ImportState } from './import-state.ts';

/** Where the import stands, for people. */
export type Progress = {
  /** `expected` null: Stripe does not say how many there are. */
  at: (phase: string, done: number) => void;
  say: (line: string) => void;
  end: () => void;
};

export type ImportDeps = {
  worker: WorkerDeps;
  projectId: string;
  isDryRun: boolean;
  progress: Progress;
  /** Changed in place; kept on disk after each page. */
  state: ImportState;
  save: () => void;
};

/** Who acts, for the audit log. */
export const importActor = { name: 'import:stripe', requestId: null } as const;
