import type { Latencies } from '../load/open-loop.ts';
import { median, spreadOf } from '../measure/statistics.ts';
import type { Spread } from '../measure/statistics.ts';
import type { Turns } from '../measure/take-turns.ts';

/** One line of the table. */
export type Row = {
  scenario: string;
  name: string;
  unit: string;
  value: Spread;
  /** To the scenario's reference variant, from the same rounds. */
  ratio?: number;
  cpuMicros?: number;
  goals?: Goal[];
};

export type Goal = { text: string; isMet: boolean; reached: number };

export const atLeast = (text: string, reached: number, bound: number): Goal => ({
  text: `${text} ≥ ${bound}`,
  isMet: reached >= bound,
  reached,
});

export const atMost = (text: string, reached: number, bound: number): Goal => ({
  text: `${text} ≤ ${bound}`,
  isMet: reached <= bound,
  reached,
});

/** Ratio of two variants: the median of the ratios within a round, as the rounds differ. */
export function ratioOf(turns: Turns, name: string, reference: string): number {
  const [values, beside] = [turns.get(name) ?? [], turns.get(reference) ?? []];
  return median(values.map(({ value }, round) => value / (beside[round]?.value ?? Number.NaN)));
}

export const cpuOf = (turns: Turns, name: string): number =>
  median((turns.get(name) ?? []).map(({ cpuMicros }) => cpuMicros));

/** A row for each variant. */
export function toRows(
  turns: Turns,
  { scenario, unit, reference }: { scenario: string; unit: string; reference: string },
): Row[] {
  return [...turns].map(([name, measured]) => ({
    scenario,
    name,
    unit,
    value: spreadOf(measured.map(({ value }) => value)),
    ratio: ratioOf(turns, name, reference),
    cpuMicros: cpuOf(turns, name),
  }));
}

/** The rows, with the goals added to the one of that name. */
export const withGoals = (rows: readonly Row[], name: string, goals: Goal[]): Row[] =>
  rows.map((row) => (row.name === name ? { ...row, goals } : row));

const shares = ['p50', 'p95', 'p99'] as const;

/** A row per percentile, over the rounds. */
export function latencyRows(
  { scenario, name }: { scenario: string; name: string },
  rounds: readonly Latencies[],
  goals: Partial<Record<(typeof shares)[number], Goal[]>> = {},
): Row[] {
  return shares.map((share) => ({
    scenario,
    name: `${name}, ${share}`,
    unit: 'ms',
    value: spreadOf(rounds.map((round) => round[share])),
    ...(goals[share] === undefined ? {} : { goals: goals[share] }),
  }));
}
