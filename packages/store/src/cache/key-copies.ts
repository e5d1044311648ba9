import type { Instant } from '@billing/domain';
import type { RedisClient } from '@billing/platform';
import { z } from 'zod';
import type { ApiKeyRecord } from '../keys/find-api-key.ts';

/** How long a record may be used while Postgres cannot be asked, and how long its copy is kept in Redis. */
export const outageMs = 5 * 60_000;

const recordCopy = z.object({
  keyId: z.string(),
  projectId: z.string(),
  scopes: z.array(z.string()),
  expiresAt: z.number().nullable(),
  isProjectActive: z.boolean(),
  // Versions before these limits write none.
  allowedIps: z.array(z.string()).default([]),
  rateLimitPerSecond: z.number().nullable().default(null),
});

const copyOf = (digest: string): string => `ent:k:${digest}`;
/** A key of its own, so that a copy that is written late cannot undo the revocation. */
const revocationOf = (digest: string): string => `ent:r:${digest}`;
const switchOf = (projectId: string): string => `ent:s:${projectId}`;

export type KeyCopies = ReturnType<typeof createKeyCopies>;

/**
 * Copies of API key records in the cache's Redis, and what was changed of keys and projects lately; read only while
 * Postgres cannot be asked. Nothing here throws.
 */
export function createKeyCopies(redis: RedisClient) {
  /** A mark for processes that cannot ask Postgres: holds for longer than any of them trusts what it knows. */
  async function mark(key: string, value: string, ms: number = 2 * outageMs): Promise<void> {
    if (redis.status === 'ready') await redis.set(key, value, 'PX', Math.ceil(ms)).catch(() => null);
  }

  return {
    /** `old` is what this process knows; null: nothing is known, or it cannot be had. */
    async read(
      digest: string,
      { old, now }: { old: ApiKeyRecord | null; now: Instant },
    ): Promise<ApiKeyRecord | 'revoked' | null> {
      if (redis.status !== 'ready') return old;
      try {
        const [endsAt, copy] = await Promise.all([
          redis.get(revocationOf(digest)),
          redis.get(copyOf(digest)),
        ]);
        if (typeof endsAt === 'string' && Number(endsAt) <= now) return 'revoked';
        const record = old ?? (typeof copy === 'string' ? recordCopy.parse(JSON.parse(copy)) : null);
        if (record === null) return null;
        const switched = await redis.get(switchOf(record.projectId));
        return switched === null ? record : { ...record, isProjectActive: switched === 'on' };
      } catch {
        return old;
      }
    },
    async write(digest: string, record: ApiKeyRecord): Promise<void> {
      if (redis.status !== 'ready') return;
      await redis.set(copyOf(digest), JSON.stringify(record), 'PX', outageMs).catch(() => null);
    },
    /** The key ends at that moment. One that is far away is known to everybody by then. */
    async end(digest: string, { at, now }: { at: Instant; now: Instant }): Promise<void> {
      if (at - now > outageMs) return;
      const endsInMs = Math.max(0, at - now);
      await mark(revocationOf(digest), String(at <= now ? 1 : at), endsInMs + 2 * outageMs);
      if (at <= now && redis.status === 'ready') await redis.del(copyOf(digest)).catch(() => null);
    },
    switchProject: (projectId: string, isActive: boolean): Promise<void> =>
      mark(switchOf(projectId), isActive ? 'on' : 'off'),
  };
}
