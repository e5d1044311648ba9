import type { Row } from '../report/row.ts';
import { describeRun, writeResults } from '../report/write-results.ts';
import type { Surroundings } from '../environment/set-up.ts';
import type { Baseline } from './baseline.ts';
import { compareRatios, describeFailures, formatFindings } from './compare.ts';
import { findSlow, formatLatencies, readLatencies } from './latencies.ts';
import { measure } from './measure.ts';
import { readRatios } from './ratios.ts';

type Check = { baseline: Baseline; warmSeconds: number; say: (line: string) => void };

/** The scenarios in which a ratio is beyond its margin. */
function regressedScenarios({ ratios }: Baseline, rows: readonly Row[]): Set<string> {
  const measured = readRatios(rows);
  const findings = compareRatios(ratios, measured);
  const names = findings.filter(({ outcome }) => outcome === 'REGRESSED').map(({ name }) => name);
  return new Set(measured.filter(({ name }) => names.includes(name)).map(({ scenario }) => scenario));
}

/** Measures a scenario with a regression once more: a slower program shows twice, a disturbed machine rarely. */
async function measureWithRepeat(
  environment: Surroundings,
  { baseline, warmSeconds, say }: Check,
): Promise<Row[]> {
  const rows = await measure(environment, { say, warmSeconds });
  const again = regressedScenarios(baseline, rows);
  if (again.size === 0) return rows;
  say(`Beyond the margin, so measured once more: ${[...again].join(', ')}`);
  const second = await measure(environment, { say, warmSeconds, only: again });
  const titles = new Set(second.map(({ scenario }) => scenario));
  return [...rows.filter(({ scenario }) => !titles.has(scenario)), ...second];
}

/** Measures, prints both tables and writes the results; returns a sentence for each failure. */
export async function checkAgainstBaseline(environment: Surroundings, check: Check): Promise<string[]> {
  const { baseline, say } = check;
  const rows = await measureWithRepeat(environment, check);
  const findings = compareRatios(baseline.ratios, readRatios(rows));
  const latencies = readLatencies(rows);
  console.log(`${formatFindings(findings)}\n\n${formatLatencies(latencies)}`);
  say(`Written to ${writeResults(describeRun(), rows)}`);
  if (findings.some(({ outcome }) => outcome === 'better'))
    say('Better than the baseline by more than a margin. To keep the gain: npm run perf:baseline');
  const failures = [...describeFailures(findings), ...findSlow(latencies)];
  if (failures.length === 0) say('No regression.');
  return failures;
}
