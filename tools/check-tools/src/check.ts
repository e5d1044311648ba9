import type { Checkout, StackFile } from '@billing/testing';

/** Where a check's tool comes from; `--only` chooses by it. */
export const sources = ['npm', 'python', 'go', 'debian'] as const;
export type Source = (typeof sources)[number];

/** A system that runs: what `npm start` makes of a copy of this checkout. */
export type System = { checkout: Checkout; stack: StackFile };

/** One tool that others wrote, and what it must do with this service. */
export type Check = {
  name: string;
  source: Source;
  /** Programs that this machine must have. */
  needs: readonly ProgramName[];
  /** Throws, with the tool's own words, where the tool is not content. Returns what was done, in a few words. */
  run: (system: System) => Promise<string>;
};

export type ProgramName = 'go' | 'python3' | 'promtool';
