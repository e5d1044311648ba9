import type { ServerResponse } from 'node:http';
import { ServiceError } from '@billing/domain';
import { limitLines } from '../logging/limit-lines.ts';
import type { Logger } from '../logging/logger.ts';
import { authAreas } from '../metrics.ts';
import type { AuthArea, AuthFailureReason, Metrics } from '../metrics.ts';
import { createLocalAllowance } from '../redis/create-rate-limiter.ts';
import { requestIdOf } from '../request-id.ts';
import { addressOf, senderOf, shortAddressOf } from './addresses.ts';

const minuteMs = 60_000;
const linesPerSecond = 10;

const keyOf = (area: AuthArea, address: string | undefined): string => `${area} ${senderOf(address)}`;

/** One try to get in. */
export type Login = { area: AuthArea; request: { method?: string | undefined }; response: ServerResponse };

/**
 * Log-ins that fail: counted, logged, and slowed down for each address and area. A credential is compared before
 * anything else, so that a right one passes whatever others sent from the same address.
 */
export type AuthFailures = {
  /** Seconds until a key of which this process knows nothing may be looked up for this address; 0: now. */
  waitSeconds: (area: AuthArea, address: string | undefined) => number;
  /** Counts a request without a credential; returns `refusal`. */
  missing: (login: Login, refusal: ServiceError) => ServiceError;
  /** Counts a wrong credential. Returns how to refuse it: by `refusal`, beyond the bound by `rate_limited`. */
  wrong: (login: Login, refusal: ServiceError, reason?: AuthFailureReason) => ServiceError;
  /** Counts a right credential that may not be used so; returns `refusal`. */
  misused: (login: Login, refusal: ServiceError, reason: AuthFailureReason) => ServiceError;
};

const tooManyFailures = (waitSeconds: number): ServiceError =>
  new ServiceError(
    'rate_limited',
    'Too many wrong keys came from this address: wait, then use a right one.',
    { retryable: true, retryAfterSeconds: waitSeconds },
  );

export type AuthFailureOptions = {
  /** Wrong credentials a minute for each address and area, by a bucket that leaks all the time; 0: no bound. */
  perMinute: number;
  metrics: Pick<Metrics, 'authFailures'>;
  logger: Logger;
  /** What can be logged in to here; default: all areas. */
  areas?: readonly AuthArea[];
};

export function createAuthFailures(options: AuthFailureOptions): AuthFailures {
  const { perMinute, metrics, logger, areas } = options;
  const failures = createLocalAllowance({ stepMs: minuteMs / perMinute, windowMs: minuteMs });
  const lines = limitLines(linesPerSecond, (count) => logger.warn('auth_failures_not_logged', { count }));
  // From the start, so that nobody from outside adds a series, and `increase` sees the first failure.
  for (const [area, reasons] of Object.entries(authAreas))
    for (const reason of areas === undefined || areas.some((one) => one === area) ? reasons : [])
      metrics.authFailures.inc({ area, reason }, 0);

  function waitSeconds(area: AuthArea, address: string | undefined): number {
    return perMinute === 0 ? 0 : Math.ceil(failures.waitMs(keyOf(area, address)) / 1_000);
  }

  function report({ area, request, response }: Login, reason: AuthFailureReason): void {
    metrics.authFailures.inc({ area, reason });
    if (!lines.admits()) return;
    logger.warn('auth_failed', {
      area,
      reason,
      address: shortAddressOf(addressOf(request)),
      method: request.method,
      request_id: requestIdOf(response),
    });
  }

  return {
    waitSeconds,
    missing(login, refusal) {
      report(login, 'missing');
      return refusal;
    },
    wrong(login, refusal, reason = 'wrong') {
      const { area, request } = login;
      const address = addressOf(request);
      const wait = waitSeconds(area, address);
      if (perMinute > 0) failures.count(keyOf(area, address));
      report(login, wait > 0 ? 'throttled' : reason);
      return wait > 0 ? tooManyFailures(wait) : refusal;
    },
    misused(login, refusal, reason) {
      report(login, reason);
      return refusal;
    },
  };
}
