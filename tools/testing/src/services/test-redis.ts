import { freePort } from '../processes/ports.ts';
import { startRedis } from './redis.ts';
import type { RedisServer, RedisServerOptions } from './redis.ts';

/** A Redis server for one test file, which stops, kills and pauses it. It keeps its port. */
export type TestRedis = {
  url: string;
  port: number;
  pid: () => number;
  /** Orderly end. Data is gone unless `isPersistent`. */
  stop: () => Promise<void>;
  /** kill -9. */
  kill: () => Promise<void>;
  /** Starts it again after `stop` or `kill`. */
  start: () => Promise<void>;
  /** SIGSTOP: connections stay open, nothing answers. */
  pause: () => void;
  resume: () => void;
};

export type TestRedisOptions = Omit<RedisServerOptions, 'say'> & {
  /** False: only the port is chosen, and `start()` starts it. Default true. */
  isStarted?: boolean;
};

/** Starts a redis-server for this test file; call `stop()` in `afterAll`. Give a `dir` if data is to outlive a restart. */
export async function startTestRedis(options: TestRedisOptions = {}): Promise<TestRedis> {
  const { isStarted = true, ...server } = options;
  const port = options.port ?? (await freePort());
  let running: RedisServer | undefined = isStarted ? await startRedis({ ...server, port }) : undefined;

  async function end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    if (signal === 'SIGTERM') await running?.stop();
    running?.kill(signal);
    await running?.exited;
    running = undefined;
  }
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    pid: () => running?.pid ?? 0,
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    start: async () => {
      running ??= await startRedis({ ...server, port });
    },
    pause: () => running?.kill('SIGSTOP'),
    resume: () => running?.kill('SIGCONT'),
  };
}
