import { stopAll } from '../rivals.ts';
import type { Scenario } from '../scenario.ts';
import { setUpUsage } from './set-up-usage.ts';
import { takes } from './takes.ts';
import { usageChecks } from './usage-checks.ts';
import { usageLatency } from './usage-latency.ts';
import { usageProcesses } from './usage-processes.ts';
import { startTakers } from './usage-rivals.ts';

const users = 2_000;

/** Limits and metered usage: committed calls, batches, one hot counter, checks with a balance, several processes. */
export const usage: Scenario = {
  name: 'usage',
  isDefault: false,
  async run(environment, settings) {
    const shop = await setUpUsage(environment, users);
    const rivals = await startTakers(environment, shop);
    const measured = { shop, rivals, settings };
    const rows = [
      ...(await takes(environment, measured)),
      ...(await usageLatency(environment, measured)),
      ...(await usageChecks(environment, measured)),
    ];
    await stopAll(rivals);
    return [...rows, ...(await usageProcesses(environment, { shop, settings }))];
  },
};
