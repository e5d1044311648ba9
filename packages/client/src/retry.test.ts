import { BillingError } from './billing-error.ts';
import type { BillingErrorFields } from './billing-error.ts';
import { parseRetryAfterMs, pauseMs, retryDelayMs, withRetries } from './retry.ts';

const error = (fields: Partial<BillingErrorFields> = {}): BillingError =>
  new BillingError({ code: 'service_unavailable', detail: 'wait', status: 503, ...fields });

describe('the pause before a retry', () => {
  test.each([
    { attempt: 0, random: 0, delayMs: 0 },
    { attempt: 0, random: 0.5, delayMs: 50 },
    { attempt: 1, random: 0.5, delayMs: 100 },
    { attempt: 4, random: 0.5, delayMs: 800 },
    { attempt: 9, random: 0.5, delayMs: 1_000 },
  ])('is jittered from zero under a growing, bounded ceiling: %p', ({ attempt, random, delayMs }) => {
    expect(retryDelayMs({ error: error(), attempt, random })).toBe(delayMs);
  });

  test('is added to what the service asked for, so that clients do not return all at once', () => {
    expect(retryDelayMs({ error: error({ retryAfterMs: 3_000 }), attempt: 0, random: 0.5 })).toBe(3_050);
  });

  test('is none, and no retry either, when the service asks for too long a wait', () => {
    expect(retryDelayMs({ error: error({ retryAfterMs: 5_001 }), attempt: 0, random: 0 })).toBeNull();
  });

  test('is longer while a first checkout is still under way', () => {
    const inProgress = error({ code: 'idempotency_in_progress', status: 409 });
    expect(retryDelayMs({ error: inProgress, attempt: 0, random: 0.5 })).toBe(500);
  });
});

describe('the pause before what waits is sent again', () => {
  const second = { intervalMs: 1_000, retryAfterMs: null };
  test.each([
    { ...second, failures: 0, random: 0.5, expected: 1_000 },
    { ...second, failures: 1, random: 0, expected: 1_000 },
    { ...second, failures: 1, random: 0.5, expected: 1_500 },
    { ...second, failures: 3, random: 0.5, expected: 4_500 },
    { ...second, failures: 50, random: 0.5, expected: 30_500 },
    { ...second, failures: 5_000, random: 0, expected: 1_000 },
    { ...second, failures: 1, random: 0.5, retryAfterMs: 20_000, expected: 20_000 },
    { ...second, failures: 1, random: 0.5, retryAfterMs: 999_000, expected: 60_000 },
    { ...second, failures: 4, random: 0.5, intervalMs: 3_600_000, expected: 3_600_000 },
  ])('grows with each failure under a bound: %p', ({ expected, ...pause }) => {
    expect(pauseMs(pause)).toBe(expected);
  });
});

describe('what is tried again', () => {
  test.each([
    { code: 'network_error', status: null, retryable: true },
    { code: 'timeout', status: null, retryable: true },
    { code: 'rate_limited', status: 429, retryable: true },
    { code: 'stripe_error', status: 502, retryable: false },
    { code: 'invalid_response', status: 502, retryable: true },
    { code: 'service_unavailable', status: 503, retryable: true },
    { code: 'invalid_response', status: 504, retryable: true },
    { code: 'idempotency_in_progress', status: 409, retryable: true },
    { code: 'idempotency_conflict', status: 409, retryable: false },
    { code: 'invalid_request', status: 400, retryable: false },
    { code: 'invalid_api_key', status: 401, retryable: false },
    { code: 'project_mismatch', status: 403, retryable: false },
    { code: 'price_not_found', status: 404, retryable: false },
    { code: 'internal_error', status: 500, retryable: false },
    { code: 'invalid_response', status: 200, retryable: false },
  ])('$code with status $status: $retryable', ({ code, status, retryable }) => {
    const failure = error({ code, status });
    expect(failure.retryable).toBe(retryable);
    expect(retryDelayMs({ error: failure, attempt: 0, random: 0 })).toBe(retryable ? 0 : null);
  });

  test('an error that is not of a call is thrown on at once', async () => {
    let attempts = 0;
    const broken = withRetries(5, () => {
      attempts += 1;
      return Promise.reject(new RangeError('a mistake in the code'));
    });
    await expect(broken).rejects.toThrow(RangeError);
    expect(attempts).toBe(1);
  });
});

describe('Retry-After', () => {
  const nowMs = Date.parse('2026-11-22T10:00:00.000Z');
  test.each([
    [null, null],
    ['0', 0],
    ['3', 3_000],
    [' 120 ', 120_000],
    ['Sun, 22 Nov 2026 10:00:07 GMT', 7_000],
    ['Sun, 22 Nov 2026 09:00:00 GMT', 0],
    ['soon', null],
    ['', null],
    ['1e3', null],
  ])('%p is %p ms', (value, ms) => {
    expect(parseRetryAfterMs(value, nowMs)).toBe(ms);
  });
});
