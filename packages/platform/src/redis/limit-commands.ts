import type { Redis } from 'ioredis';

/**
 * Fails a command that Redis has not answered within `ms` milliseconds. ioredis's own `commandTimeout` does so without
 * a look at the socket: where this process was late itself, the answer lies there, and giving the cache up for it would
 * send every read to Postgres just when the process has most to do. So the socket is read once more first.
 */
export function limitCommands(redis: Redis, ms: number): void {
  const send = redis.sendCommand.bind(redis);
  redis.sendCommand = (command, pipeline) => {
    const giveUp = (): void => void setImmediate(() => command.reject(new Error('Command timed out')));
    const timer = setTimeout(giveUp, ms);
    const ended = (): void => clearTimeout(timer);
    command.promise.then(ended, ended);
    return send(command, pipeline);
  };
}
