import { Redis } from 'ioredis';

/**
 * ioredis listens at each Sentinel for a failover, but not to the errors of these connections, and prints each one. What
 * matters of them shows on the connection itself.
 */
export function hearSentinelErrors(redis: Redis): void {
  const connector: unknown = Reflect.get(redis, 'connector');
  if (typeof connector !== 'object' || connector === null) return;
  const connect: unknown = Reflect.get(connector, 'connectToSentinel');
  if (typeof connect !== 'function') return;
  Reflect.set(connector, 'connectToSentinel', (...args: unknown[]): unknown => {
    const sentinel: unknown = Reflect.apply(connect, connector, args);
    if (sentinel instanceof Redis) sentinel.on('error', () => undefined);
    return sentinel;
  });
}
