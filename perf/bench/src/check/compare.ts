import { alignTable } from '../report/table.ts';
import type { Baseline } from './baseline.ts';
import type { Ratio } from './ratios.ts';

/** `better`: beyond the margin on the good side, so the baseline would not notice losing it again. */
export type Outcome = 'within margin' | 'better' | 'REGRESSED' | 'NO BASELINE' | 'NOT MEASURED';

export type Finding = {
  name: string;
  outcome: Outcome;
  baseline?: number;
  measured?: number;
  /** The worst value that is still accepted. */
  limit?: number;
};

function evaluate({ name, better, value }: Ratio, kept: Baseline['ratios'][string] | undefined): Finding {
  if (value === undefined) return { name, outcome: 'NOT MEASURED' };
  if (kept === undefined) return { name, outcome: 'NO BASELINE', measured: value };
  const step = kept.value * kept.margin;
  const limit = better === 'lower' ? kept.value + step : kept.value - step;
  const known = { name, baseline: kept.value, measured: value, limit };
  if (better === 'lower' ? value > limit : value < limit) return { ...known, outcome: 'REGRESSED' };
  const isBetter = better === 'lower' ? value < kept.value - step : value > kept.value + step;
  return { ...known, outcome: isBetter ? 'better' : 'within margin' };
}

/** A finding for every ratio of either side. One that only the baseline has was not measured. */
export function compareRatios(baseline: Baseline['ratios'], measured: readonly Ratio[]): Finding[] {
  const names = new Set(measured.map(({ name }) => name));
  return [
    ...measured.map((ratio) => evaluate(ratio, baseline[ratio.name])),
    ...Object.entries(baseline)
      .filter(([name]) => !names.has(name))
      .map(([name, { value }]): Finding => ({ name, outcome: 'NOT MEASURED', baseline: value })),
  ];
}

const advice = {
  'NO BASELINE':
    'perf/baseline.json does not have it. Renew the file on a quiet machine: npm run perf:baseline',
  'NOT MEASURED':
    'this run has no figure for it. If a scenario or variant of the benchmark was renamed or removed, change ' +
    'perf/bench/src/check/ratios.ts and renew the baseline: npm run perf:baseline',
};

const number = (value: number | undefined): string => value?.toFixed(2) ?? '';

/** One sentence for each finding that fails the check. */
export function describeFailures(findings: readonly Finding[]): string[] {
  return findings.flatMap(({ name, outcome, baseline, measured, limit }) => {
    if (outcome === 'within margin' || outcome === 'better') return [];
    if (outcome !== 'REGRESSED') return [`${name}: ${advice[outcome]}`];
    return [
      `${name}: regressed, baseline ${number(baseline)}, measured ${number(measured)}, limit ${number(limit)}`,
    ];
  });
}

export const formatFindings = (findings: readonly Finding[]): string =>
  alignTable(
    ['ratio', 'baseline', 'measured', 'limit', 'result'],
    findings.map(({ name, baseline, measured, limit, outcome }) => [
      name,
      number(baseline),
      number(measured),
      number(limit),
      outcome,
    ]),
  );
