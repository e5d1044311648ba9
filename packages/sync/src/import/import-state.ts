import { createHash } from 'node:crypto';
import { z } from 'zod';

export const phases = [
  'catalog',
  'customers',
  'subscriptions',
  'sessions',
  'payments',
  'invoices',
  'refunds',
  'disputes',
] as const;
export type Phase = (typeof phases)[number];

const tally = z.object({
  counts: z.record(z.string(), z.number()),
  /** What could not be mapped: how many, and the first of them. */
  findings: z.record(z.string(), z.object({ count: z.number(), examples: z.array(z.string()) })),
});
export type Tally = z.output<typeof tally>;

/** Fingerprints of what an import is about: only the same import continues where this one stopped. */
const subject = z.object({
  project: z.string(),
  account: z.string(),
  mapping: z.string(),
  customers: z.string(),
});
export type Subject = z.output<typeof subject>;

/** Where an import stands; the command line keeps it in a file. */
export const importState = z.object({
  subject,
  phase: z.enum(phases),
  /** The last object of the last finished page; null: the phase begins. */
  cursor: z.string().nullable(),
  /** How many objects of the phase's list are done. */
  done: z.number(),
  /** By phase, as a phase that starts over resets its counts. */
  tallies: z.record(z.enum(phases), tally),
});
export type ImportState = z.output<typeof importState>;

export const fingerprintOf = (part: unknown): string =>
  createHash('sha256')
    .update(JSON.stringify(part) ?? '')
    .digest('hex')
    .slice(0, 16);

const emptyTally = (): Tally => ({ counts: {}, findings: {} });

export const freshState = (of: Subject): ImportState => ({
  subject: of,
  phase: 'catalog',
  cursor: null,
  done: 0,
  tallies: {
    catalog: emptyTally(),
    customers: emptyTally(),
    subscriptions: emptyTally(),
    sessions: emptyTally(),
    payments: emptyTally(),
    invoices: emptyTally(),
    refunds: emptyTally(),
    disputes: emptyTally(),
  },
});

/** Empties the tally in place, as others hold a reference to it. */
export const clearTally = (of: Tally): void => void Object.assign(of, emptyTally());

/** The phase starts over. */
export function beginPhase(state: ImportState, phase: Phase): void {
  Object.assign(state, { phase, cursor: null, done: 0 });
  clearTally(state.tallies[phase]);
}

export const count = ({ counts }: Tally, name: string, by = 1): void => {
  counts[name] = (counts[name] ?? 0) + by;
};

const keptExamples = 20;

const withExamples = (known: readonly string[], more: readonly string[]): string[] =>
  [...known, ...more].slice(0, keptExamples);

function addFinding({ findings }: Tally, name: string, more: { count: number; examples: string[] }): void {
  const known = findings[name] ?? { count: 0, examples: [] };
  findings[name] = {
    count: known.count + more.count,
    examples: withExamples(known.examples, more.examples),
  };
}

/** Adds something that could not be mapped to the summary. */
export const note = (of: Tally, finding: string, example: string): void =>
  addFinding(of, finding, { count: 1, examples: [example] });

/** What all phases found together. */
export function totalOf({ tallies }: ImportState): Tally {
  const total = emptyTally();
  for (const phase of phases) {
    const { counts, findings } = tallies[phase];
    for (const [name, by] of Object.entries(counts)) count(total, name, by);
    for (const [name, found] of Object.entries(findings)) addFinding(total, name, found);
  }
  return total;
}
