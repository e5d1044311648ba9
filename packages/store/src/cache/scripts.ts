import { createHash, randomBytes } from 'node:crypto';
import type { Redis } from 'ioredis';

/** Tells a new generation from any that was there before. */
export const newNonce = (): string => randomBytes(6).toString('base64url');

type Script = { lua: string; sha: string };

const script = (lua: string): Script => ({ lua, sha: createHash('sha1').update(lua).digest('hex') });

const versionOf = `
local function version_of(value)
  if not value then return -1 end
  local version = string.match(value, '^T|(%d+)$') or string.match(value, '^[^|]*|[^|]*|(%d+)|')
  return tonumber(version or '-1')
end`;

/** KEYS generation, user · ARGV generation read before Postgres was, version, entry, TTL in ms. 1: stored, 0: the generation moved on, -1: something newer is known. */
export const fillScript = script(`${versionOf}
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if version_of(redis.call('GET', KEYS[2])) > tonumber(ARGV[2]) then return -1 end
redis.call('SET', KEYS[2], ARGV[3], 'PX', ARGV[4])
return 1`);

/**
 * KEYS users · ARGV TTL in ms, a version for each user. Full memory refuses SET but not DEL: an old answer must go in
 * any case.
 */
export const invalidateUsersScript = script(`${versionOf}
for i, key in ipairs(KEYS) do
  local version = ARGV[i + 1]
  if version_of(redis.call('GET', key)) < tonumber(version) then
    local stored = redis.pcall('SET', key, 'T|' .. version, 'PX', ARGV[1])
    if type(stored) == 'table' and stored.err then redis.call('DEL', key) end
  end
end
return 1`);

/** KEYS generation · ARGV version, nonce. */
export const invalidateProjectScript = script(`
local current = redis.call('GET', KEYS[1])
if current and tonumber(string.match(current, '^(%d+):') or '-1') >= tonumber(ARGV[1]) then return 0 end
local stored = redis.pcall('SET', KEYS[1], ARGV[1] .. ':' .. ARGV[2])
if type(stored) == 'table' and stored.err then redis.call('DEL', KEYS[1]) end
return 1`);

/** Runs a script by its digest; Redis that does not have it (new, flushed) gets it whole. */
export async function runScript(
  redis: Redis,
  { lua, sha }: Script,
  keys: readonly string[],
  args: readonly (string | number)[],
): Promise<unknown> {
  try {
    return await redis.evalsha(sha, keys.length, ...keys, ...args);
  } catch (error) {
    if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
    return redis.eval(lua, keys.length, ...keys, ...args);
  }
}
