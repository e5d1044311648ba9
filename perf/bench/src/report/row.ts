import { median, spreadOf } from '../measure/statistics.ts';
import type { Spread } from '../measure/statistics.ts';
import type { Turns } from '../measure/take-turns.ts';

/** One line of the table. */
export type Row = {
  scenario: string;
  name: string;
  unit: string;
  value: Spread;
  /** Beside the scenario's yardstick, from the same rounds. */
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

/** Ratio of two variants: the median over the rounds of the ratio within a round, as the rounds differ. */
export function ratioOf(turns: Turns, name: string, yardstick: string): number {
  const [values, beside] = [turns.get(name) ?? [], turns.get(yardstick) ?? []];
  return median(values.map(({ value }, round) => value / (beside[round]?.value ?? Number.NaN)));
}

export const cpuOf = (turns: Turns, name: string): number =>
  median((turns.get(name) ?? []).map(({ cpuMicros }) => cpuMicros));

/** The rows of a competition. */
export function toRows(
  turns: Turns,
  { scenario, unit, yardstick }: { scenario: string; unit: string; yardstick: string },
): Row[] {
  return [...turns].map(([name, measured]) => ({
    scenario,
    name,
    unit,
    value: spreadOf(measured.map(({ value }) => value)),
    ratio: ratioOf(turns, name, yardstick),
    cpuMicros: cpuOf(turns, name),
  }));
}

/** Rows in which the one of that name carries the goals. */
export const withGoals = (rows: readonly Row[], name: string, goals: Goal[]): Row[] =>
  rows.map((row) => (row.name === name ? { ...row, goals } : row));
