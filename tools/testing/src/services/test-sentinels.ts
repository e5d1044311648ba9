import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { startGuarded } from '../processes/guarded-process.ts';
import type { GuardedProcess } from '../processes/guarded-process.ts';
import { waitFor } from '../wait-for.ts';
import { requireRedisBinary } from './redis-binary.ts';

export type TestSentinels = {
  /** `redis+sentinel://` of all of them. */
  url: string;
  /** The port of the primary as they see it. */
  primaryPort: () => Promise<number>;
  stop: () => Promise<void>;
};

type Options = {
  name: string;
  primaryPort: number;
  /** One Sentinel for each. */
  ports: readonly number[];
  /** After how long without an answer the primary counts as down. */
  downAfterMs: number;
};

async function startSentinel(
  port: number,
  { name, primaryPort, ports, downAfterMs }: Options,
): Promise<GuardedProcess> {
  const dir = mkdtempSync(join(tmpdir(), 'billing-sentinel-'));
  const file = join(dir, 'sentinel.conf');
  const quorum = Math.floor(ports.length / 2) + 1;
  writeFileSync(
    file,
    [
      `port ${port}`,
      'bind 127.0.0.1',
      `sentinel monitor ${name} 127.0.0.1 ${primaryPort} ${quorum}`,
      `sentinel down-after-milliseconds ${name} ${downAfterMs}`,
      `sentinel failover-timeout ${name} 4000`,
      '',
    ].join('\n'),
  );
  const binary = requireRedisBinary(() => undefined);
  return startGuarded({ command: [binary, file, '--sentinel'], output: join(dir, 'log'), removeDir: dir });
}

async function ask(port: number, ...args: string[]): Promise<unknown> {
  const redis = new Redis({ port, host: '127.0.0.1', retryStrategy: () => null, enableReadyCheck: false });
  redis.on('error', () => undefined);
  try {
    return await redis.call('SENTINEL', args);
  } finally {
    redis.disconnect();
  }
}

/** Starts Sentinels that watch a primary, and waits until they know each other and its replicas. */
export async function startTestSentinels(options: Options & { replicas: number }): Promise<TestSentinels> {
  const { name, ports } = options;
  const processes = await Promise.all(ports.map((port) => startSentinel(port, options)));
  const knows = async (port: number): Promise<boolean> => {
    const lists = await Promise.all(['sentinels', 'replicas'].map((what) => ask(port, what, name)));
    const [others = 0, replicas = 0] = lists.map((list) => (Array.isArray(list) ? list.length : 0));
    return others === ports.length - 1 && replicas === options.replicas;
  };
  await waitFor(async () => (await Promise.all(ports.map(knows))).every(Boolean), {
    what: 'the Sentinels to know each other and the replicas',
    timeoutMs: 30_000,
  });
  return {
    url: `redis+sentinel://${ports.map((port) => `127.0.0.1:${port}`).join(',')}/${name}`,
    primaryPort: async () => {
      const address = await ask(ports[0] ?? 0, 'get-master-addr-by-name', name);
      return Array.isArray(address) ? Number(address[1]) : 0;
    },
    stop: async () => void (await Promise.all(processes.map((one) => one.stop(1_000)))),
  };
}
