import type { Latencies } from '../load/open-loop.ts';
import type { Cpu } from '../measure/cpu-time.ts';
import { sumOf } from '../measure/cpu-time.ts';
import { median, spreadOf } from '../measure/statistics.ts';
import type { Spread } from '../measure/statistics.ts';
import type { Measured, Turns } from '../measure/take-turns.ts';
import type { Goal } from './goal.ts';

/** One figure of one variant. */
export type Row = {
  scenario: string;
  name: string;
  unit: string;
  value: Spread;
  /** To the scenario's reference variant, from the same rounds. */
  ratio?: number;
  /** Microseconds per request or event, of all processes that do the work, and of each. */
  cpuMicros?: number;
  cpu?: Cpu;
  /** Of latencies, which the table shows side by side. */
  share?: Share;
  /** What the variant does, for whoever compares. */
  does?: string;
  goals?: Goal[];
  /** The version of Node of the measured processes. */
  node?: string;
};

export const shares = ['p50', 'p95', 'p99'] as const;
export type Share = (typeof shares)[number];

/** The median, over the rounds, of the quotient of two variants' figures: a round's figures are comparable. */
export function quotient<T>(
  turns: Turns<T>,
  [name, reference]: readonly [string, string],
  figure: (measured: T) => number,
): number {
  const [values, beside] = [turns.get(name) ?? [], turns.get(reference) ?? []];
  return median(
    values.flatMap((value, round) => {
      const other = beside[round];
      return other === undefined ? [] : [figure(value) / figure(other)];
    }),
  );
}

export const rateOf = ({ value }: Measured): number => value;
export const cpuOfAll = ({ cpu }: Pick<Measured, 'cpu'>): number => sumOf(cpu);

/** Each process's median over the rounds. */
export function medianCpu(rounds: readonly Pick<Measured, 'cpu'>[]): Cpu {
  const names = Object.keys(rounds[0]?.cpu ?? {});
  return Object.fromEntries(names.map((name) => [name, median(rounds.map(({ cpu }) => cpu[name] ?? 0))]));
}

type Described = { name: string; does: string };

/** A row for each variant. */
export function toRows(turns: Turns, { scenario, unit, reference, variants }: RowsOptions): Row[] {
  return variants.map(({ name, does }) => {
    const measured = turns.get(name) ?? [];
    return {
      scenario,
      name,
      unit,
      does,
      value: spreadOf(measured.map(rateOf)),
      ratio: quotient(turns, [name, reference], rateOf),
      cpuMicros: median(measured.map(cpuOfAll)),
      cpu: medianCpu(measured),
    };
  });
}

type RowsOptions = { scenario: string; unit: string; reference: string; variants: readonly Described[] };

/** The rows, with the goals added to the one of that name. */
export const withGoals = (rows: readonly Row[], name: string, goals: Goal[]): Row[] =>
  rows.map((row) => (row.name === name ? { ...row, goals } : row));

/** A row per percentile, over the rounds. */
export function latencyRows(
  { scenario, name }: { scenario: string; name: string },
  rounds: readonly Latencies[],
  goals: Partial<Record<Share, Goal[]>> = {},
): Row[] {
  return shares.map((share) => ({
    scenario,
    name: `${name}, ${share}`,
    unit: 'ms',
    share,
    value: spreadOf(rounds.map((round) => round[share])),
    ...(goals[share] === undefined ? {} : { goals: goals[share] }),
  }));
}
