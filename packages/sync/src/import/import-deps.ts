import type { SyncDeps } from '../deps.ts';
import type { ImportState, Tally } from './import-state.ts';

/** Where the import stands, for people. */
export type Progress = {
  /** How many of the phase are done, those of earlier runs included. */
  at: (phase: string, done: number) => void;
  say: (line: string) => void;
  end: () => void;
};

/** The most that one read of a list brings. */
export const longestPage = 100;

export type ImportDeps = {
  sync: SyncDeps;
  projectId: string;
  isDryRun: boolean;
  progress: Progress;
  /** Objects that one read of a list brings, up to `longestPage`. */
  pageSize: number;
  /** Changed in place; kept on disk after each page. */
  state: ImportState;
  save: () => void;
};

/** StripeLookup from Stripe takes no more. */
export type ImportReadDeps = Pick<ImportDeps, 'sync' | 'progress' | 'pageSize'>;

/** With what the phase at hand counts: a part of `state`. */
export type PhaseDeps = ImportDeps & { tally: Tally };

/** Who acts, for the audit log. */
export const importActor = { name: 'import:stripe', requestId: null } as const;
