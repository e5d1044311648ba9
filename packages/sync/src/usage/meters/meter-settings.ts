import { setTimeout as sleep } from 'node:timers/promises';
import type { ReadBudget } from '../../stripe/read-budget.ts';

export type MeterSettings = {
  /** How long after its end an hour is reported: what comes later makes another report. */
  delayMs: number;
  /** Meter events of all workers. */
  budget: ReadBudget;
  /** Resolves when this process may send the next one. */
  pace: () => Promise<void>;
};

/** Meter events of one process do not go out in bursts. */
export function createPace(perSecond: number): MeterSettings['pace'] {
  let next = 0;
  return async () => {
    const now = performance.now();
    const at = Math.max(now, next);
    next = at + 1_000 / perSecond;
    if (at > now) await sleep(at - now);
  };
}
