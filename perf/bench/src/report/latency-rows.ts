import type { Latencies } from '../load/open-loop.ts';
import { spreadOf } from '../measure/statistics.ts';
import type { Goal, Row } from './row.ts';

const shares = ['p50', 'p95', 'p99'] as const;

/** A row per percentile, over the rounds. The goals stand beside the one they are about. */
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
