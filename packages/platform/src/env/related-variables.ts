import type { ValueOf } from './production-rules.ts';

/** What a Redis Cluster hashes in place of the whole key: between the first brace and the next closing one. */
const hashTag = /^[^{]*\{[^}]+\}/;

/** Whether all keys with this prefix lie in one slot of a Redis Cluster: BullMQ's scripts need all of them together. */
export const hasHashTag = (prefix: string): boolean => hashTag.test(prefix);

export const hashTagWanted =
  'expected a hash tag such as {bull}: all keys of the queue must lie in one slot of the Redis Cluster';

/** Where the API listens unless `PORT` says otherwise. */
export const defaultApiPort = 8000;

const rules: Readonly<Partial<Record<string, (value: string, valueOf: ValueOf) => string | undefined>>> = {
  QUEUE_PREFIX: (value, valueOf) =>
    /^rediss?\+cluster:/i.test(valueOf('REDIS_URL')?.trim() ?? '') && !hasHashTag(value.trim())
      ? hashTagWanted
      : undefined,
  // 0 asks for a free port, which is another one.
  OPERATIONS_PORT: (value, valueOf) =>
    Number(value) !== 0 && Number(value) === Number(valueOf('PORT') ?? defaultApiPort)
      ? 'expected another port than PORT'
      : undefined,
};

/** What is wrong with a value beside those of other variables, in any mode; undefined: nothing. Never names the value. */
export const relatedProblem = (name: string, value: string, valueOf: ValueOf): string | undefined =>
  rules[name]?.(value, valueOf);
