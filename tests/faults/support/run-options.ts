import { appendFileSync } from 'node:fs';

/** `--quick`: the same scenarios with shorter outages and smaller loads. */
export const isQuick = process.env['FAULTS_QUICK'] === '1';

export const inQuick = <T>(quick: T, whole: T): T => (isQuick ? quick : whole);

/** Of the random walk; printed, so that a failed walk can be walked again. */
export const seed = Number(process.env['FAULTS_SEED'] ?? Date.now() % 1_000_000);

/**
 * A limit as a client sees it. A process keeps its limits by its own timers, but three stacks share the machine, and
 * each process may get its turn late, the client's too. A call without a limit hangs as long as the fault, which is
 * longer.
 */
export const seenWithin = (limitMs: number): number => limitMs + 2_000;

/** `recovered`: by what, and what works again. */
export type Recovery = { fault: string; recovered: string; ms: number };

/** Notes how long a recovery took, for the table at the end of the run. */
export function noteRecovery(recovery: Recovery): void {
  const file = process.env['FAULTS_RECOVERIES'];
  if (file !== undefined) appendFileSync(file, `${JSON.stringify(recovery)}\n`);
}

/** Waits for `recover` and notes how long that took. */
export async function timeRecovery<T>(names: Omit<Recovery, 'ms'>, recover: () => Promise<T>): Promise<T> {
  const startedAt = performance.now();
  const result = await recover();
  noteRecovery({ ...names, ms: Math.round(performance.now() - startedAt) });
  return result;
}
