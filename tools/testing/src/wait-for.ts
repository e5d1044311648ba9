import { setTimeout as sleep } from 'node:timers/promises';

export type WaitOptions = {
  /** Default 20 s: a busy machine is no failure. */
  timeoutMs?: number;
  /** Default 20 ms. */
  intervalMs?: number;
  /** What is awaited, for the error. */
  what: string;
};

/**
 * Calls `condition` until it returns something truthy, and returns that. A condition that throws counts as not met;
 * the error at the end of the wait holds its last message.
 */
export async function waitFor<T>(
  condition: () => T | Promise<T>,
  { timeoutMs = 20_000, intervalMs = 20, what }: WaitOptions,
): Promise<Exclude<T, false | null | undefined | 0 | ''>> {
  const givesUpAt = Date.now() + timeoutMs;
  let lastError: unknown;
  for (;;) {
    try {
      const value = await condition();
      if (value) return value as Exclude<T, false | null | undefined | 0 | ''>;
      lastError = undefined;
    } catch (error) {
      lastError = error;
    }
    if (Date.now() >= givesUpAt) break;
    await sleep(intervalMs);
  }
  const why = lastError instanceof Error ? ` (${lastError.message})` : '';
  throw new Error(`Waited ${timeoutMs} ms in vain for ${what}${why}.`, { cause: lastError });
}
