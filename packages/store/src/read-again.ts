import { setTimeout as sleep } from 'node:timers/promises';
import { isConnectionLost } from './database-errors.ts';

const maxAttempts = 7;

/**
 * Runs a read again where its connection was lost: after a failover, or when sessions are ended, every connection of
 * the pool is dead, and the pool notices it only when the process next looks at the sockets; hence the pauses, of 2 to
 * 64 ms. For reads only: whether a write was done before the connection was lost is not known.
 */
export async function readAgainIfConnectionLost<T>(read: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await read();
    } catch (error) {
      if (attempt >= maxAttempts || !isConnectionLost(error)) throw error;
      await sleep(2 ** attempt);
    }
  }
}
