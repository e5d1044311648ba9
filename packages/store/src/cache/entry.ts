import { createHash, randomBytes } from 'node:crypto';
import type { Redis } from 'ioredis';

/**
 * What the cache holds for a user. An entry is `<generation>|<server>|<version>|<validUntilMs>|<answer>`,
 * a tombstone `T|<version>`: nothing older than `version` may be stored or served. Processes of other releases read
 * and write the same keys: neither the keys nor the formats may change.
 */
export type CacheEntry = {
  /** Of the project. */
  generation: string;
  /** Which server it was written to, and at which epoch of that. */
  server: string;
  version: number;
  /** Last moment (exclusive) at which the answer may be served. */
  validUntil: number;
  answer: string;
};

/** Length-prefixed, so that no two pairs share a key: ("a", "b:c") and ("a:b", "c") differ. */
export const userKey = (projectId: string, userId: string, tag = ''): string =>
  `ent:${tag}u:${projectId.length}:${projectId}:${userId}`;

/** `tag`: the hash tag of a shard on a Redis Cluster. */
export const generationKey = (projectId: string, tag = ''): string => `ent:${tag}p:${projectId}`;

export const formatEntry = (entry: CacheEntry): string =>
  `${entry.generation}|${entry.server}|${entry.version}|${entry.validUntil}|${entry.answer}`;

/** What was agreed on the server that has it, for processes that start while Postgres is away. */
export const agreementKey = (tag = ''): string => `ent:${tag}g`;

/** Reads an entry; null for a tombstone or anything unexpected. */
export function parseEntry(raw: string): CacheEntry | null {
  const generationEnd = raw.indexOf('|');
  const serverEnd = raw.indexOf('|', generationEnd + 1);
  const versionEnd = raw.indexOf('|', serverEnd + 1);
  const untilEnd = raw.indexOf('|', versionEnd + 1);
  if (generationEnd < 1 || serverEnd < 0 || versionEnd < 0 || untilEnd < 0) return null;
  const version = Number(raw.slice(serverEnd + 1, versionEnd));
  const validUntil = Number(raw.slice(versionEnd + 1, untilEnd));
  if (!Number.isSafeInteger(version) || !Number.isSafeInteger(validUntil)) return null;
  return {
    generation: raw.slice(0, generationEnd),
    server: raw.slice(generationEnd + 1, serverEnd),
    version,
    validUntil,
    answer: raw.slice(untilEnd + 1),
  };
}

/** The version of a tombstone; 0 for anything else. */
export function tombstoneVersion(raw: string | null): number {
  if (raw === null || !raw.startsWith('T|')) return 0;
  const version = Number(raw.slice(2));
  return Number.isSafeInteger(version) ? version : 0;
}

/** Makes a new generation differ from all earlier ones. */
const newNonce = (): string => randomBytes(6).toString('base64url');

/** The project's generation, made if it has none (any more): answers from before a flush are not trusted. */
export async function createGeneration(redis: Redis, projectKey: string): Promise<string> {
  const fresh = `0:${newNonce()}`;
  if ((await redis.set(projectKey, fresh, 'NX')) === 'OK') return fresh;
  return (await redis.get(projectKey)) ?? fresh;
}

export type Script = { lua: string; sha: string };

export const script = (lua: string): Script => ({ lua, sha: createHash('sha1').update(lua).digest('hex') });

const versionOf = `
local function version_of(value)
  if not value then return -1 end
  local version = string.match(value, '^T|(%d+)$') or string.match(value, '^[^|]*|[^|]*|(%d+)|')
  return tonumber(version or '-1')
end`;

const fillScript = script(`${versionOf}
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if version_of(redis.call('GET', KEYS[2])) > tonumber(ARGV[2]) then return -1 end
redis.call('SET', KEYS[2], ARGV[3], 'PX', ARGV[4])
return 1`);

/** Stores an entry, unless the generation is another by now or something newer is known of the user. */
export async function storeEntry(
  redis: Redis,
  { projectKey, key, entry, ttlMs }: { projectKey: string; key: string; entry: CacheEntry; ttlMs: number },
): Promise<'stored' | 'outdated' | 'skipped'> {
  const { generation, version } = entry;
  const stored = await runScript(
    redis,
    fillScript,
    [projectKey, key],
    [generation, version, formatEntry(entry), ttlMs],
  );
  if (stored === -1) return 'outdated';
  return stored === 1 ? 'stored' : 'skipped';
}

/** Full memory refuses SET but not DEL: an old answer must go in any case. */
const invalidateUsersScript = script(`${versionOf}
for i, key in ipairs(KEYS) do
  local version = ARGV[i + 1]
  if version_of(redis.call('GET', key)) < tonumber(version) then
    local stored = redis.pcall('SET', key, 'T|' .. version, 'PX', ARGV[1])
    if type(stored) == 'table' and stored.err then redis.call('DEL', key) end
  end
end
return 1`);

const forgetScript = script(`${versionOf}
if version_of(redis.call('GET', KEYS[1])) <= tonumber(ARGV[1]) then return redis.call('DEL', KEYS[1]) end
return 0`);

/** Removes what is kept of a user up to a version, the tombstone of its invalidation too. */
export const forgetUser = (redis: Redis, key: string, version: bigint): Promise<unknown> =>
  runScript(redis, forgetScript, [key], [version.toString()]);

/** Redis answers nobody else meanwhile: less than a millisecond. */
const keysAtOnce = 1_000;

/** Deletes the keys of one server that match a pattern. `SCAN` knows nothing of a connection's prefix. */
export async function deleteMatching(redis: Redis, pattern: string): Promise<void> {
  const { keyPrefix = '' } = redis.options;
  let cursor = '0';
  do {
    const [next, found] = await redis.scan(cursor, 'MATCH', keyPrefix + pattern, 'COUNT', keysAtOnce);
    // One by one: on a cluster a command names keys of one slot only.
    await Promise.all(found.map((key) => redis.del(key.slice(keyPrefix.length))));
    cursor = next;
  } while (cursor !== '0');
}

/** A script holds up all who read: about a tenth of a millisecond for so many. */
const usersPerScript = 64;

/** Replaces what is older by tombstones. */
export async function invalidateUsers(
  redis: Redis,
  users: readonly { key: string; version: bigint }[],
  tombstoneMs: number,
): Promise<void> {
  const scripts: Promise<unknown>[] = [];
  for (let from = 0; from < users.length; from += usersPerScript) {
    const some = users.slice(from, from + usersPerScript);
    const keys = some.map(({ key }) => key);
    const args = [tombstoneMs, ...some.map(({ version }) => version.toString())];
    scripts.push(runScript(redis, invalidateUsersScript, keys, args));
  }
  await Promise.all(scripts);
}

const invalidateProjectScript = script(`
local current = redis.call('GET', KEYS[1])
if current and tonumber(string.match(current, '^(%d+):') or '-1') >= tonumber(ARGV[1]) then return 0 end
local stored = redis.pcall('SET', KEYS[1], ARGV[1] .. ':' .. ARGV[2])
if type(stored) == 'table' and stored.err then redis.call('DEL', KEYS[1]) end
return 1`);

/** Starts a new generation: every answer of the project is old then. */
export const invalidateProject = (redis: Redis, projectKey: string, version: bigint): Promise<unknown> =>
  runScript(redis, invalidateProjectScript, [projectKey], [version.toString(), newNonce()]);

/**
 * Runs a script by its digest; Redis that does not have it (new, flushed) gets it whole. It is written to the socket
 * before this returns: an automatic pipeline would only be sent after what the caller does next.
 */
export async function runScript(
  redis: Redis,
  { lua, sha }: Script,
  keys: readonly string[],
  args: readonly (string | number)[],
): Promise<unknown> {
  const results = await redis
    .pipeline()
    .evalsha(sha, keys.length, ...keys, ...args)
    .exec();
  const [error, result] = results?.[0] ?? [];
  if (error === null) return result;
  if (error?.message.startsWith('NOSCRIPT') !== true)
    throw error ?? new Error('Redis did not answer a script');
  return redis.eval(lua, keys.length, ...keys, ...args);
}
