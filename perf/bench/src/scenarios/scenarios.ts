import { checkHit } from './check-hit.ts';
import { checkout } from './checkout.ts';
import { coldStart } from './cold-start.ts';
import { fixedRate } from './fixed-rate.ts';
import type { Scenario } from './scenario.ts';
import { processes } from './processes.ts';
import { queueMemory } from './queue-memory.ts';
import { soak } from './soak.ts';
import { visible } from './visible.ts';
import { webhook } from './webhook.ts';
import { worker } from './worker.ts';

/** All scenarios, in the order in which they run. */
export const scenarios: readonly Scenario[] = [
  checkHit,
  fixedRate,
  processes,
  webhook,
  worker,
  visible,
  checkout,
  queueMemory,
  coldStart,
  soak,
];
