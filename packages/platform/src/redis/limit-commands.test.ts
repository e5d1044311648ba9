import { startTestRedis, waitFor } from '@billing/testing';
import type { TestRedis } from '@billing/testing';
import type { Redis } from 'ioredis';
import { createLogger } from '../logging/logger.ts';
import { connectServer } from './connect-redis.ts';

const logger = createLogger({ service: 'test', level: 'error', format: 'json' });
let server: TestRedis;
let redis: Redis;

beforeAll(async () => {
  server = await startTestRedis();
  redis = connectServer({ url: server.url, role: 'cache', logger });
  await waitFor(() => redis.status === 'ready', { what: 'Redis' });
});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

/** Blocks the event loop for longer than a command may take. */
function beBusy(): void {
  const until = performance.now() + 400;
  while (performance.now() < until);
}

const commands: [what: string, send: () => Promise<unknown>][] = [
  ['a command', () => redis.set('key', 'value')],
  ['a pipeline', () => redis.pipeline().set('key', 'value').exec()],
  ['a script', () => redis.eval('return 1', 0)],
];

test.each(commands)('%s that Redis answered while this process was late has succeeded', async (_, send) => {
  const answer = send();
  // Autopipelining sends at the end of this turn.
  await new Promise((resolve) => setImmediate(resolve));
  beBusy();
  await expect(answer).resolves.toBeDefined();
});

test.each(commands)('%s that a frozen Redis does not answer fails', async (what, send) => {
  server.pause();
  try {
    const answer = await send().catch((error: unknown) => error);
    // A pipeline answers with what became of each of its commands.
    const [error] = what === 'a pipeline' && Array.isArray(answer) ? answer.flat() : [answer];
    expect(error).toEqual(new Error('Command timed out'));
  } finally {
    server.resume();
  }
  await waitFor(async () => (await redis.ping().catch(() => null)) === 'PONG', { what: 'Redis' });
});
