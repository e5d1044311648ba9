import type { Surroundings } from '../environment/set-up.ts';
import type { Row } from '../report/row.ts';
import { checkHit } from './check-hit.ts';
import { checkout } from './checkout.ts';
import { coldStart } from './cold-start.ts';
import { fixedRate } from './fixed-rate.ts';
import { lone } from './lone.ts';
import { memoryRows } from './memory.ts';
import { processes } from './processes.ts';
import { queueMemory } from './queue-memory.ts';
import type { Scenario, Settings } from './scenario.ts';
import { soak } from './soak.ts';
import { usage } from './usage/usage.ts';
import { webhook } from './webhook.ts';
import { webhooksOut } from './webhooks-out/webhooks-out.ts';
import { worker } from './worker.ts';

/** All scenarios, in the order in which they run. */
export const scenarios: readonly Scenario[] = [
  checkHit,
  fixedRate,
  webhook,
  lone,
  worker,
  checkout,
  usage,
  webhooksOut,
  processes,
  queueMemory,
  coldStart,
  soak,
];

export type PlannedScenario = { scenario: Scenario; settings: Settings };

/** What runs the measured processes. */
export type Node = { version: string; path: string };
export const currentNode: Node = { version: process.versions.node, path: process.execPath };

/**
 * Runs scenarios one after another in one environment, each with every Node in turn, so that these are compared within
 * minutes; returns all their rows. A scenario that fails costs its own rows, and the run its exit code 0.
 */
export async function runScenarios(
  { startersFor, ...surroundings }: Surroundings,
  planned: readonly PlannedScenario[],
  nodes: readonly Node[] = [currentNode],
): Promise<Row[]> {
  const rows: Row[] = [];
  const started = nodes.map((node) => ({ node, starters: startersFor(node.path) }));
  const add = (node: Node, found: readonly Row[]): void => {
    rows.push(...found.map((row) => ({ ...row, node: node.version })));
  };
  for (const { scenario, settings } of planned)
    for (const { node, starters } of started) {
      settings.say(`Scenario "${scenario.name}", Node ${node.version}`);
      try {
        add(node, await scenario.run({ ...surroundings, ...starters }, settings));
      } catch (error) {
        console.error(`Scenario "${scenario.name}" failed:`, error);
        process.exitCode = 1;
      }
    }
  for (const { node, starters } of started) add(node, memoryRows(starters.memory));
  return rows;
}
