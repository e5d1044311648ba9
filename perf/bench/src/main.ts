import { execFileSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { setUpEnvironment } from './environment/set-up.ts';
import type { Row } from './report/row.ts';
import { formatCosts, formatGoals, formatLatencies, formatVariants } from './report/table.ts';
import { describeRun, writeResults } from './report/write-results.ts';
import { currentNode, runScenarios, scenarios } from './scenarios/scenarios.ts';
import type { Node } from './scenarios/scenarios.ts';

const optionsSchema = z.object({
  only: z
    .string()
    .transform((names) => names.split(','))
    .optional(),
  rounds: z.coerce.number().int().min(1).max(100).default(5),
  seconds: z.coerce.number().min(1).max(600).default(2),
  node: z.array(z.string()).optional(),
  warm: z.coerce.number().min(0).max(600).default(60),
  users: z.coerce.number().int().min(100).max(2_000_000).default(2_000),
});

/** Throws an Error whose message says what is wrong. */
function parseOptions(): z.output<typeof optionsSchema> {
  const { values } = parseArgs({
    options: {
      only: { type: 'string' },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      node: { type: 'string', multiple: true },
      warm: { type: 'string' },
      users: { type: 'string' },
    },
  });
  const options = optionsSchema.parse(values);
  const names = scenarios.map(({ name }) => name);
  const unknown = options.only?.filter((name) => !names.includes(name)) ?? [];
  if (unknown.length === 0) return options;
  throw new Error(`No such scenario: ${unknown.join(', ')}. There are: ${names.join(', ')}.`);
}

/** Throws when that is no Node. */
const nodeAt = (path: string): Node => ({
  path,
  version: execFileSync(path, ['--version'], { encoding: 'utf8' }).trim().replace(/^v/, ''),
});

const say = (line: string): void => console.error(line);
const options = parseOptions();
const picked = scenarios.filter(({ name, isDefault }) => options.only?.includes(name) ?? isDefault);
const nodes = options.node?.map(nodeAt) ?? [currentNode];
const run = describeRun();

say('Starting Postgres, Redis and the offline Stripe; writing the data …');
const environment = await setUpEnvironment(options);
let rows: Row[];
try {
  rows = await runScenarios(
    environment,
    picked.map((scenario) => ({ scenario, settings: { ...options, warmSeconds: options.warm, say } })),
    nodes,
  );
} finally {
  await environment.clear();
}
const versions = nodes.map(({ version }) => version).join(' and ');
console.log(`${formatGoals(rows)}

CPU microseconds per request or event, of all processes and of each; then the rate.

${formatCosts(rows)}

Latencies from the moment at which each request was due: median of the rounds (lowest–highest).

${formatLatencies(rows)}

${formatVariants(rows)}

${run.cpu}, ${run.cores} cores, Node ${versions}, commit ${run.commit}${run.is_dirty ? ' (changed)' : ''}`);
say(`Written to ${writeResults(run, rows)}`);
const missed = rows.flatMap(({ goals = [] }) => goals).filter(({ isMet }) => !isMet);
if (missed.length > 0) say(`${missed.length} goals not met.`);
process.exit();
