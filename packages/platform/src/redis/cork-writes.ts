import type { Redis } from 'ioredis';
import type { Writable } from 'node:stream';

/**
 * Sends the commands of one turn of the event loop by one system call, which costs more than the command itself.
 * Unlike ioredis's autopipelining, which makes BullMQ slower, it changes nothing about the commands: Node's own
 * `cork` holds them back until the turn ends.
 */
export function corkWrites(redis: Redis): void {
  const send = redis.sendCommand.bind(redis);
  let held: Writable | undefined;

  function holdUntilTurnEnds(stream: Writable): void {
    held = stream;
    stream.cork();
    setImmediate(() => {
      held = undefined;
      stream.uncork();
    });
  }

  redis.sendCommand = (command, pipeline) => {
    if (held === undefined && redis.status === 'ready') holdUntilTurnEnds(redis.stream);
    return send(command, pipeline);
  };
}
