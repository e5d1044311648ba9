import { alignTable } from '../report/table.ts';
import { describeRun, writeResults } from '../report/write-results.ts';
import type { Surroundings } from '../environment/set-up.ts';
import { baselineFile, makeBaseline, writeBaseline } from './baseline.ts';
import type { Baseline } from './baseline.ts';
import { findSlow, formatLatencies, readLatencies } from './latencies.ts';
import { describeServers, measure } from './measure.ts';
import { readRatios } from './ratios.ts';

export type Renewal = {
  runs: number;
  warmSeconds: number;
  loadGenerator: Baseline['machine']['load_generator'];
  /** Its margins are kept. */
  former: Baseline | undefined;
  say: (line: string) => void;
};

const formatRatios = ({ ratios }: Baseline): string =>
  alignTable(
    ['ratio', 'baseline', 'runs', 'margin'],
    Object.entries(ratios).map(([name, { value, least, greatest, margin }]) => [
      name,
      value.toFixed(2),
      `${least.toFixed(2)}–${greatest.toFixed(2)}`,
      `${Math.round(margin * 100)} %`,
    ]),
  );

/** Measures `runs` times and writes perf/baseline.json; returns a sentence for each missed load target. */
export async function renewBaseline(environment: Surroundings, renewal: Renewal): Promise<string[]> {
  const { runs, warmSeconds, loadGenerator, former, say } = renewal;
  const { at, commit, is_dirty, node, cpu, cores, memory_gib } = describeRun();
  const measured = [];
  for (let number = 1; number <= runs; number += 1) {
    say(`Run ${number} of ${runs}`);
    const rows = await measure(environment, { say, warmSeconds });
    say(`Written to ${writeResults(describeRun(), rows)}`);
    measured.push({ ratios: readRatios(rows), latencies: readLatencies(rows) });
  }
  const servers = await describeServers(environment);
  const machine = { cpu, cores, memory_gib, node, ...servers, load_generator: loadGenerator };
  const baseline = makeBaseline({ at, commit, is_dirty, machine }, measured, former);
  writeBaseline(baseline);
  const latencies = readLatencies([]).map(({ name, limits }) => ({
    name,
    limits,
    measured: baseline.latencies_ms[name],
  }));
  console.log(`${formatRatios(baseline)}\n\n${formatLatencies(latencies)}`);
  say(`Written to ${baselineFile}`);
  return findSlow(latencies);
}
