import type { SyncDeps } from '../deps.ts';
import type { ImportState, Tally } from './import-state.ts';

/** Shows an operator where the import stands. */
export type Progress = {
  /** How many of the phase are done, those of earlier runs included. */
  at: (phase: string, done: number) => void;
  say: (line: string) => void;
  end: () => void;
};

/** The most objects that one page of a list has. */
export const longestPage = 100;

export type ImportDeps = {
  sync: SyncDeps;
  projectId: string;
  isDryRun: boolean;
  progress: Progress;
  /** Objects on one page of a list, up to `longestPage`. */
  pageSize: number;
  /** Changed in place; `save` keeps it after each page. */
  state: ImportState;
  save: () => void;
};

/** All that reading from Stripe needs. */
export type ImportReadDeps = Pick<ImportDeps, 'sync' | 'progress' | 'pageSize'>;

/** With the counts of the current phase: a part of `state`. */
export type PhaseDeps = ImportDeps & { tally: Tally };

/** The import cannot continue; `message` says what to do. */
export class ImportError extends Error {
  readonly code = 'import_failed';
  override readonly name = 'ImportError';
}

/** The actor in the audit log. */
export const importActor = { name: 'import:stripe', requestId: null } as const;
