import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { spreadOf } from '../measure/statistics.ts';
import { root } from '../paths.ts';
import type { Latency } from './latencies.ts';
import type { Ratio } from './ratios.ts';

const positive = z.number().positive();
const percentiles = z.object({ p50: positive, p95: positive, p99: positive });

const schema = z.object({
  at: z.iso.datetime(),
  commit: z.string().min(1),
  is_dirty: z.boolean(),
  machine: z.object({
    cpu: z.string(),
    cores: z.number().int().positive(),
    memory_gib: positive,
    node: z.string(),
    redis: z.string(),
    postgres: z.string(),
    load_generator: z.enum(['wrk', 'autocannon']),
  }),
  /** The ratios are medians over this many runs. */
  runs: z.number().int().positive(),
  ratios: z.record(
    z.string(),
    z.object({ value: positive, least: positive, greatest: positive, margin: z.number().gt(0).lt(1) }),
  ),
  latencies_ms: z.record(z.string(), percentiles),
});

export type Baseline = z.output<typeof schema>;
export type Origin = Pick<Baseline, 'at' | 'commit' | 'is_dirty' | 'machine'>;

const remedy = 'Restore the file from git, or make a new one on a quiet machine: npm run perf:baseline';

export const baselineFile = join(root, 'perf/baseline.json');

/** Undefined: there is no perf/baseline.json. Throws as `parseBaseline` does. */
export const readBaseline = (): Baseline | undefined =>
  existsSync(baselineFile) ? parseBaseline(readFileSync(baselineFile, 'utf8')) : undefined;

export const writeBaseline = (baseline: Baseline): void =>
  writeFileSync(baselineFile, `${JSON.stringify(baseline, null, 2)}\n`);

/** Parses the text of perf/baseline.json; throws an Error that says what is wrong and what to do. */
export function parseBaseline(text: string): Baseline {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (error) {
    throw new Error(`perf/baseline.json is not JSON. ${remedy}`, { cause: error });
  }
  const parsed = schema.safeParse(content);
  if (parsed.success) return parsed.data;
  throw new Error(`perf/baseline.json can't be used. ${remedy}\n${z.prettifyError(parsed.error)}`);
}

type Run = { ratios: readonly Ratio[]; latencies: readonly Latency[] };

/**
 * A baseline from one or more runs: the median of each ratio and latency. Margins of the former baseline are kept.
 * Throws when something was not measured.
 */
export function makeBaseline(origin: Origin, runs: readonly Run[], former?: Baseline): Baseline {
  const missing = runs.flatMap(({ ratios, latencies }) =>
    [
      ...ratios.filter(({ value }) => value === undefined),
      ...latencies.filter(({ measured }) => measured === undefined),
    ].map(({ name }) => name),
  );
  if (missing.length > 0)
    throw new Error(`A baseline needs all figures. Not measured: ${missing.join(', ')}`);
  const ratios = (runs[0]?.ratios ?? []).map(({ name, margin }) => {
    const values = runs.flatMap((run) =>
      run.ratios.flatMap(({ name: other, value }) => (other === name && value !== undefined ? [value] : [])),
    );
    const { median: value, ...spread } = rounded(spreadOf(values));
    return [name, { value, ...spread, margin: former?.ratios[name]?.margin ?? margin }] as const;
  });
  const latencies = (runs[0]?.latencies ?? []).map(({ name }) => {
    const all = runs.flatMap((run) =>
      run.latencies.flatMap(({ name: other, measured }) =>
        other === name && measured !== undefined ? [measured] : [],
      ),
    );
    const middle = (share: 'p50' | 'p95' | 'p99') => spreadOf(all.map((one) => one[share])).median;
    return [name, rounded({ p50: middle('p50'), p95: middle('p95'), p99: middle('p99') })] as const;
  });
  return {
    ...origin,
    runs: runs.length,
    ratios: Object.fromEntries(ratios),
    latencies_ms: Object.fromEntries(latencies),
  };
}

/** To three digits; a run is not more precise. */
function rounded<Key extends string>(values: Record<Key, number>): Record<Key, number> {
  const result = { ...values };
  for (const key in result) result[key] = Number(result[key].toPrecision(3));
  return result;
}
