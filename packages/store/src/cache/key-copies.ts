import { z } from 'zod';
import type { Redis } from 'ioredis';
import type { ApiKeyRecord } from '../keys/find-api-key.ts';

const copyTtlMs = 5 * 60_000;

const copy = z.object({
  keyId: z.string(),
  projectId: z.string(),
  scopes: z.array(z.string()),
  expiresAt: z.number().nullable(),
  isProjectActive: z.boolean(),
});

const keyOf = (digest: string): string => `ent:k:${digest}`;
/** Of its own, so that no copy that is late can undo it. */
const revocationOf = (digest: string): string => `ent:r:${digest}`;

/** Copies of API key records in the cache's Redis, read only while Postgres cannot be asked. Nothing here throws. */
export function createKeyCopies(redis: Redis) {
  return {
    /** Null: nobody left a copy, or it cannot be had. */
    async read(digest: string): Promise<ApiKeyRecord | 'revoked' | null> {
      if (redis.status !== 'ready') return null;
      try {
        const [revoked, stored] = await redis.mget(revocationOf(digest), keyOf(digest));
        if (typeof revoked === 'string') return 'revoked';
        return typeof stored === 'string' ? copy.parse(JSON.parse(stored)) : null;
      } catch {
        return null;
      }
    },
    async write(digest: string, record: ApiKeyRecord): Promise<void> {
      if (redis.status !== 'ready') return;
      await redis.set(keyOf(digest), JSON.stringify(record), 'PX', copyTtlMs).catch(() => null);
    },
    /** For processes that cannot ask Postgres: holds for longer than any of them trusts what it knows. */
    async revoke(digest: string): Promise<void> {
      if (redis.status !== 'ready') return;
      const told = [redis.set(revocationOf(digest), '1', 'PX', 2 * copyTtlMs), redis.del(keyOf(digest))];
      await Promise.allSettled(told);
    },
  };
}
