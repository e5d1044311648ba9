import { setTimeout as sleep } from 'node:timers/promises';

const maxAttempts = 4;

/** Postgres ended the transaction in favour of another one (40P01, 40001): the same again may succeed. */
export function isDeadlock(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if ('code' in error && error.code === 'P2034') return true;
  return /\b(40P01|40001)\b|deadlock detected/.test(error.message);
}

/** Runs a transaction again, up to three times after a jittered pause, where Postgres ended it because of a deadlock. */
export async function retryOnDeadlock<T>(transaction: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await transaction();
    } catch (error) {
      if (attempt >= maxAttempts || !isDeadlock(error)) throw error;
      await sleep(Math.random() * 20 * attempt);
    }
  }
}
