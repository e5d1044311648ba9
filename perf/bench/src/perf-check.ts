import { parseArgs } from 'node:util';
import { readBaseline } from './check/baseline.ts';
import type { Baseline } from './check/baseline.ts';
import { checkAgainstBaseline } from './check/check-against-baseline.ts';
import { renewBaseline } from './check/renew-baseline.ts';
import { setUpEnvironment } from './environment/set-up.ts';
import { findWrk } from './load/saturate.ts';

/**
 * Entry of `npm run perf:check`: compares the ratios of this machine with perf/baseline.json; exit code 1 after a
 * regression, else 0. With `--update` (`npm run perf:baseline`) it writes that file, from `--runs` runs. `--warm` is as of the bench.
 */
const say = (line: string): void => console.error(line);
const loadGenerator = findWrk() === undefined ? 'autocannon' : 'wrk';

function parseNumber(option: string, text: string, most: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= most) return value;
  throw new Error(`--${option} is a whole number from 1 to ${most}.`);
}

/** The baseline if this machine can be compared with it. */
function comparable(baseline: Baseline | undefined): Baseline {
  if (baseline === undefined)
    throw new Error('There is no perf/baseline.json. Make one on a quiet machine: npm run perf:baseline');
  const { machine } = baseline;
  if (machine.load_generator !== loadGenerator)
    throw new Error(
      `The baseline was measured with ${machine.load_generator}, here it would be ${loadGenerator}, and the ratios differ. ` +
        'Install wrk or take it off the PATH, or renew the baseline: npm run perf:baseline',
    );
  return baseline;
}

async function main(): Promise<string[]> {
  const { values: options } = parseArgs({
    options: {
      update: { type: 'boolean', default: false },
      runs: { type: 'string', default: '3' },
      warm: { type: 'string', default: '60' },
    },
  });
  const runs = parseNumber('runs', options.runs, 20);
  const warmSeconds = parseNumber('warm', options.warm, 600);
  const found = readBaseline();
  const baseline = options.update ? undefined : comparable(found);
  say('Starting Postgres, Redis and the offline Stripe; writing the data …');
  const environment = await setUpEnvironment({ users: 2_000 });
  try {
    return baseline === undefined
      ? await renewBaseline(environment, { runs, warmSeconds, loadGenerator, former: found, say })
      : await checkAgainstBaseline(environment, { baseline, warmSeconds, say });
  } finally {
    await environment.clear();
  }
}

try {
  const failures = await main();
  for (const failure of failures) say(`FAILED: ${failure}`);
  process.exit(failures.length === 0 ? 0 : 1);
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
  process.exit(1);
}
