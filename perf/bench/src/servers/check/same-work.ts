import { hash, randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { Counter, Histogram, Registry } from 'prom-client';

/** Keys of what the peers read in place of our cache; the benchmark writes them from our API's answers. */
export const peerKeys = {
  generation: 'peer:generation',
  user: (userId: string): string => `peer:user:${userId}`,
};
export const peerGeneration = '12345:AbCdEf';

export type Answer = { status: number; text: string; requestId: string };

/**
 * The work of a check without the guarantees, the same for each peer: digest of the key, one Redis round trip for
 * generation and entry, histogram and counters with kept children, request id, the same bytes of JSON.
 */
export function sameWorkFromEnvironment(): (
  authorization: string | undefined,
  userId: string,
) => Promise<Answer> {
  const redis = new Redis(process.env['CACHE_REDIS_URL'] ?? '', { enableAutoPipelining: true });
  const known = new Map([[hash('sha256', process.env['BENCH_API_KEY'] ?? ''), { projectId: 'bench' }]]);
  const registers = [new Registry()];
  const labelNames = ['method', 'route', 'status_code'];
  const labels = ['GET', '/api/v1/entitlements', '200'];
  const duration = new Histogram({ name: 'duration', help: 'duration', labelNames, registers }).labels(
    ...labels,
  );
  const requests = new Counter({ name: 'requests', help: 'requests', labelNames, registers }).labels(
    ...labels,
  );
  const hits = new Counter({ name: 'hits', help: 'hits', registers });

  return async (authorization, userId) => {
    const startedAt = performance.now();
    const requestId = randomUUID();
    const token = authorization?.slice('Bearer '.length) ?? '';
    if (!known.has(hash('sha256', token))) return { status: 401, text: '{}', requestId };
    const [generation, entry] = await redis.mget(peerKeys.generation, peerKeys.user(userId));
    const cut = entry?.indexOf('|') ?? -1;
    if (typeof entry !== 'string' || entry.slice(0, cut) !== generation)
      return { status: 404, text: '{}', requestId };
    hits.inc();
    const text = `${entry.slice(cut + 1)},"checked_at":"${new Date().toISOString()}"}`;
    duration.observe((performance.now() - startedAt) / 1000);
    requests.inc();
    return { status: 200, text, requestId };
  };
}
