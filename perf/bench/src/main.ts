import { parseOptions } from './options.ts';
import { scenarios } from './scenarios/scenarios.ts';
import { runScenarios } from './scenarios/run-scenarios.ts';
import { describeRun, writeResults } from './report/write-results.ts';
import type { Row } from './report/row.ts';
import { formatTable } from './report/table.ts';
import { setUpEnvironment } from './environment/set-up.ts';

const say = (line: string): void => console.error(line);
const options = parseOptions(
  process.argv.slice(2),
  scenarios.map(({ name }) => name),
);
const picked = scenarios.filter(({ name, isDefault }) => options.only?.includes(name) ?? isDefault);
const run = describeRun();

say('Starting Postgres, Redis and the offline Stripe; writing the data …');
const environment = await setUpEnvironment(options);
let rows: Row[];
try {
  rows = await runScenarios(
    environment,
    picked.map((scenario) => ({ scenario, settings: { ...options, say } })),
  );
} finally {
  await environment.clear();
}
console.log(formatTable(rows));
console.log(
  `\n${run.cpu}, ${run.cores} cores, Node ${run.node}, commit ${run.commit}${run.is_dirty ? ' (changed)' : ''}`,
);
say(`Written to ${writeResults(run, rows)}`);
const missed = rows.flatMap(({ goals = [] }) => goals).filter(({ isMet }) => !isMet);
if (missed.length > 0) say(`${missed.length} goals not met.`);
process.exit(0);
