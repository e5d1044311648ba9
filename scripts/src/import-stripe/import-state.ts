import { createHash } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import { readJsonFile, writeJsonFile } from '../stack/json-file.ts';

export const phases = ['catalog', 'customers', 'subscriptions', 'sessions', 'payments'] as const;
export type Phase = (typeof phases)[number];

/** What could not be mapped: how many, and the first of them. */
const findings = z.record(z.string(), z.object({ count: z.number(), examples: z.array(z.string()) }));

const stateFile = z.object({
  /** Of what the import is about: another import never goes on where this one stopped. */
  fingerprint: z.string(),
  phase: z.enum(phases),
  /** The last object of the last page that was done; null: the phase begins. */
  cursor: z.string().nullable(),
  counts: z.record(z.string(), z.number()),
  findings,
});
export type ImportState = z.output<typeof stateFile>;

export const fingerprintOf = (parts: unknown): string =>
  createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16);

export const freshState = (fingerprint: string): ImportState => ({
  fingerprint,
  phase: 'catalog',
  cursor: null,
  counts: {},
  findings: {},
});

/** Undefined: there is none, or it is another import's. */
export function readState(path: string, fingerprint: string): ImportState | undefined {
  const state = readJsonFile(path, stateFile);
  return state?.fingerprint === fingerprint ? state : undefined;
}

export function writeState(path: string, state: ImportState): void {
  mkdirSync(dirname(path), { recursive: true });
  writeJsonFile(path, state);
}

export const removeState = (path: string): void => rmSync(path, { force: true });

export const count = (state: ImportState, name: string, by = 1): void => {
  state.counts[name] = (state.counts[name] ?? 0) + by;
};

const keptExamples = 20;

/** Notes something that could not be mapped, for the summary. */
export function note(state: ImportState, finding: string, example: string): void {
  const known = state.findings[finding] ?? { count: 0, examples: [] };
  state.findings[finding] = {
    count: known.count + 1,
    examples: known.examples.length < keptExamples ? [...known.examples, example] : known.examples,
  };
}
