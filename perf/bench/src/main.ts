import { parseOptions } from './options.ts';
import { parts } from './parts/parts.ts';
import { runParts } from './parts/run-parts.ts';
import { describeRun, writeResults } from './report/write-results.ts';
import type { Row } from './report/row.ts';
import { formatTable } from './report/table.ts';
import { setStage } from './stage/set-stage.ts';

const say = (line: string): void => console.error(line);
const options = parseOptions(
  process.argv.slice(2),
  parts.map(({ name }) => name),
);
const picked = parts.filter(({ name, isDefault }) => options.only?.includes(name) ?? isDefault);
const run = describeRun();

say('Starting Postgres, Redis and the offline Stripe; writing the data …');
const stage = await setStage(options);
let rows: Row[];
try {
  rows = await runParts(
    stage,
    picked.map((part) => ({ part, settings: { ...options, say } })),
  );
} finally {
  await stage.clear();
}
console.log(formatTable(rows));
console.log(
  `\n${run.cpu}, ${run.cores} cores, Node ${run.node}, commit ${run.commit}${run.is_dirty ? ' (changed)' : ''}`,
);
say(`Written to ${writeResults(run, rows)}`);
const missed = rows.flatMap(({ goals = [] }) => goals).filter(({ isMet }) => !isMet);
if (missed.length > 0) say(`${missed.length} goals not met.`);
process.exit(0);
