import { createHash, timingSafeEqual } from 'node:crypto';
import { ServiceError } from '@billing/domain';
import type { AuthFailures, Login } from './auth-failures.ts';

type MetricsLogin = Omit<Login, 'area'> & { authorization: string | undefined };

const digestOf = (text: string): Buffer => createHash('sha256').update(text).digest();

/**
 * Why the metrics are refused to this request (`missing_api_key`, `invalid_api_key`, `rate_limited`), which counts it;
 * null: they are not, as always where no token is set. Compares in constant time, and before anything else.
 */
export function refuseMetrics(
  token: string | undefined,
  authFailures: Pick<AuthFailures, 'missing' | 'wrong'>,
  { authorization, request, response }: MetricsLogin,
): ServiceError | null {
  if (token === undefined) return null;
  const login: Login = { area: 'metrics', request, response };
  if (authorization === undefined)
    return authFailures.missing(
      login,
      new ServiceError('missing_api_key', 'Send the header Authorization: Bearer <METRICS_TOKEN>.'),
    );
  // Digests, as timingSafeEqual needs equal lengths.
  if (timingSafeEqual(digestOf(authorization), digestOf(`Bearer ${token}`))) return null;
  return authFailures.wrong(
    login,
    new ServiceError('invalid_api_key', 'Use the METRICS_TOKEN of this service.'),
  );
}
