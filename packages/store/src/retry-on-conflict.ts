import { setTimeout as sleep } from 'node:timers/promises';
import { isConflict } from './database-errors.ts';

const maxAttempts = 6;
/** As long as the shortest deadline of a call that writes: nobody waits for what comes later. */
const defaultWithinMs = 5_000;

/**
 * Runs a transaction, or a statement that is one by itself, again where Postgres ended it in favour of another one
 * (serialization failure 40001, deadlock 40P01): it had no effect, and the same may succeed now. Up to five times,
 * after jittered pauses, and none begins later than `withinMs` milliseconds after the first; then throws the error.
 */
export async function retryOnConflict<T>(
  transaction: () => Promise<T>,
  { withinMs = defaultWithinMs }: { withinMs?: number } = {},
): Promise<T> {
  const startedAt = performance.now();
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await transaction();
    } catch (error) {
      if (attempt >= maxAttempts || !isConflict(error)) throw error;
      await sleep(Math.random() * Math.min(200, 10 * 2 ** attempt));
      if (performance.now() - startedAt > withinMs) throw error;
    }
  }
}
