import { setTimeout as sleep } from 'node:timers/promises';
import { isConnectionLost } from './database-errors.ts';

const ATTEMPTS = 5;

/**
 * Runs a read again where its connection was lost under it: after a failover, or when sessions are ended, every
 * connection of the pool is dead, and the pool learns it of each only when the process next looks at the sockets;
 * hence the pauses, of 2 to 16 ms. For reads only: of a write nobody knows whether it was done.
 */
export async function readAgainIfConnectionLost<T>(read: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await read();
    } catch (error) {
      if (attempt >= ATTEMPTS || !isConnectionLost(error)) throw error;
      await sleep(2 ** attempt);
    }
  }
}
