import type { Writable } from 'node:stream';
import type { Cluster, Command, Redis } from 'ioredis';

/** ioredis leaves its `socketTimeout` timer running when a connection closes; it would then hit the next one. */
export function stopSocketTimer(redis: Redis): void {
  const timer: unknown = Reflect.get(redis, 'socketTimeoutTimer');
  if (!isTimer(timer)) return;
  clearTimeout(timer);
  Reflect.set(redis, 'socketTimeoutTimer', undefined);
}

function isTimer(value: unknown): value is NodeJS.Timeout {
  return typeof value === 'object' && value !== null && 'hasRef' in value;
}

/**
 * Fails a command that Redis has not answered within `ms` milliseconds. ioredis's own `commandTimeout` does so
 * without a look at the socket: where this process was late itself, the answer lies there, and treating the cache as
 * down would send every read to Postgres just when the process is busiest. So the socket is read once more first.
 */
function endInTime(command: Command, ms: number): void {
  const fail = (): void => void setImmediate(() => command.reject(new Error('Command timed out')));
  const timer = setTimeout(fail, ms);
  const ended = (): void => clearTimeout(timer);
  command.promise.then(ended, ended);
}

/** Limits the commands of a connection, as `endInTime` does. */
export function limitCommands(redis: Redis, ms: number): void {
  const send = redis.sendCommand.bind(redis);
  redis.sendCommand = (command, pipeline) => {
    endInTime(command, ms);
    return send(command, pipeline);
  };
}

/** The same of a Redis Cluster: redirections and waits for a node that is lost are part of the time. */
export function limitClusterCommands(cluster: Cluster, ms: number): void {
  const send = cluster.sendCommand.bind(cluster);
  cluster.sendCommand = (command, stream, node: unknown) => {
    endInTime(command, ms);
    return send(command, stream, node);
  };
}

/** How to cork the connections whose writes are corked. */
const corks = new WeakMap<Redis | Cluster, () => void>();

/**
 * Sends the commands of one turn of the event loop by one system call, which costs more than the command itself.
 * Unlike ioredis's autopipelining, which makes BullMQ slower, it changes nothing about the commands: Node's own
 * `cork` buffers them until the turn ends.
 */
export function corkWrites(redis: Redis): void {
  const send = redis.sendCommand.bind(redis);
  let corked: Writable | undefined;

  function cork(): void {
    if (corked !== undefined || redis.status !== 'ready') return;
    const { stream } = redis;
    corked = stream;
    stream.cork();
    setImmediate(() => {
      corked = undefined;
      stream.uncork();
    });
  }

  corks.set(redis, cork);
  redis.sendCommand = (command, pipeline) => {
    cork();
    return send(command, pipeline);
  };
}

/**
 * Runs `send` at the end of this turn of the event loop, and what it sends goes out in the same turn: `setImmediate`
 * alone would leave that corked until the next.
 */
export function sendAtTurnEnd(redis: Redis | Cluster, send: () => void): void {
  setImmediate(send);
  corks.get(redis)?.();
}
