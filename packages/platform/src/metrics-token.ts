import { createHash, timingSafeEqual } from 'node:crypto';
import { ServiceError } from '@billing/domain';

const digestOf = (text: string): Buffer => createHash('sha256').update(text).digest();

/**
 * Why these metrics are not shown to whoever sent this `Authorization` header: `missing_api_key`, `invalid_api_key`.
 * Null: they are, also where no token is set. Compares in constant time.
 */
export function refuseMetrics(
  token: string | undefined,
  authorization: string | undefined,
): ServiceError | null {
  if (token === undefined) return null;
  if (authorization === undefined)
    return new ServiceError('missing_api_key', 'Send the header Authorization: Bearer <METRICS_TOKEN>.');
  // Digests, as timingSafeEqual wants equal lengths.
  return timingSafeEqual(digestOf(authorization), digestOf(`Bearer ${token}`))
    ? null
    : new ServiceError('invalid_api_key', 'Use the METRICS_TOKEN of this service.');
}
