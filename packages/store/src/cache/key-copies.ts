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

/** Copies of API key records in the cache's Redis, read only while Postgres cannot be asked. Nothing here throws. */
export function createKeyCopies(redis: Redis) {
  return {
    async read(digest: string): Promise<ApiKeyRecord | null> {
      if (redis.status !== 'ready') return null;
      try {
        const stored = await redis.get(keyOf(digest));
        return stored === null ? null : copy.parse(JSON.parse(stored));
      } catch {
        return null;
      }
    },
    async write(digest: string, record: ApiKeyRecord): Promise<void> {
      if (redis.status !== 'ready') return;
      await redis.set(keyOf(digest), JSON.stringify(record), 'PX', copyTtlMs).catch(() => null);
    },
    async remove(digest: string): Promise<void> {
      if (redis.status !== 'ready') return;
      await redis.del(keyOf(digest)).catch(() => 0);
    },
  };
}
