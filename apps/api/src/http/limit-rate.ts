import { ServiceError } from '@billing/domain';
import type { ApiKeyRecord } from '@billing/store';
import type { Response } from 'express';
import type { AppDeps } from '../deps.ts';

/**
 * Counts a request of this key, where a limit is set, and says in `RateLimit-*` (draft-ietf-httpapi-ratelimit-headers)
 * what is left. Throws `rate_limited`.
 */
export async function limitRate(
  { rateLimiter }: Pick<AppDeps, 'rateLimiter'>,
  record: ApiKeyRecord,
  response: Response,
): Promise<void> {
  if (rateLimiter === null) return;
  const { isAllowed, limit, remaining, resetMs, retryAfterMs } = await rateLimiter.take(record.keyId);
  response.setHeader('ratelimit-limit', String(limit));
  response.setHeader('ratelimit-remaining', String(remaining));
  response.setHeader('ratelimit-reset', String(Math.ceil(resetMs / 1_000)));
  if (isAllowed) return;
  throw new ServiceError('rate_limited', `Send at most ${limit} requests a second with this key.`, {
    retryable: true,
    retryAfterSeconds: retryAfterMs / 1_000,
  });
}
