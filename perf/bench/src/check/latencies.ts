import type { Row } from '../report/row.ts';
import { alignTable } from '../report/table.ts';

const shares = ['p50', 'p95', 'p99'] as const;

export type Percentiles = Record<(typeof shares)[number], number>;
export type Limits = Partial<Percentiles>;

/** Paths at a fixed rate and their load targets, which are so high that only a broken path misses them. */
export const latencyKinds: readonly { name: string; scenario: string; row: string; limits: Limits }[] = [
  {
    name: 'check with cache, 100/s',
    scenario: 'check, 100/s open loop',
    row: 'our API, hit',
    limits: { p50: 20, p95: 50, p99: 100 },
  },
  {
    name: 'check without cache, 100/s',
    scenario: 'check, 100/s open loop',
    row: 'our API, miss',
    limits: { p50: 50, p95: 150, p99: 300 },
  },
  {
    name: 'webhook accepted, 100/s',
    scenario: 'lone event, 100/s open loop',
    row: 'our API and worker: accepted',
    limits: { p95: 1_000 },
  },
  {
    name: 'webhook to the read that shows it, 100/s',
    scenario: 'lone event, 100/s open loop',
    row: 'visible',
    limits: { p99: 2_000 },
  },
  { name: 'checkout, 10/s', scenario: 'checkout, 10/s open loop', row: 'whole', limits: { p95: 500 } },
];

export type Latency = { name: string; limits: Limits; measured: Percentiles | undefined };

export function readLatencies(rows: readonly Row[]): Latency[] {
  return latencyKinds.map(({ name, scenario, row, limits }) => {
    const of = (share: string): number =>
      rows.find((candidate) => candidate.scenario === scenario && candidate.name === `${row}, ${share}`)
        ?.value.median ?? Number.NaN;
    const measured = { p50: of('p50'), p95: of('p95'), p99: of('p99') };
    const isWhole = shares.every((share) => Number.isFinite(measured[share]));
    return { name, limits, measured: isWhole ? measured : undefined };
  });
}

/** One sentence for each limit that is not met, and for each path that was not measured. */
export function findSlow(latencies: readonly Latency[]): string[] {
  return latencies.flatMap(({ name, limits, measured }) =>
    measured === undefined
      ? [`${name}: not measured`]
      : shares
          .filter((share) => measured[share] >= (limits[share] ?? Number.POSITIVE_INFINITY))
          .map((share) => `${name}: ${share} ${measured[share].toFixed(1)} ms, limit ${limits[share]} ms`),
  );
}

/** A Markdown table: each percentile beside its limit. */
export function formatLatencies(latencies: readonly Latency[]): string {
  const cells = latencies.map(({ name, limits, measured }) => [
    name,
    ...shares.flatMap((share) => [
      measured?.[share].toFixed(1) ?? '',
      limits[share] === undefined ? '' : `< ${limits[share]}`,
    ]),
  ]);
  return alignTable(['latency, ms', 'p50', 'limit', 'p95', 'limit', 'p99', 'limit'], cells);
}
