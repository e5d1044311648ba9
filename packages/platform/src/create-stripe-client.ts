import { Stripe } from 'stripe';
import { createStripeHttpClient } from './stripe-http-client.ts';
import type { StripeOutcome } from './stripe-http-client.ts';
import type { StripePermissions } from './stripe-permissions.ts';

export type StripeClient = Stripe;

export type StripeClientOptions = {
  readonly secretKey: string;
  /** Another server that speaks Stripe's API, such as `http://127.0.0.1:12111`. */
  readonly apiBase?: string | undefined;
  /** For one operation with all its retries; default 10 s. */
  readonly timeoutMs?: number;
  /** Default 1. */
  readonly maxNetworkRetries?: number;
  /** Called after each attempt. `operation` is bounded: ids are replaced by `:id`. */
  readonly observe?: ((operation: string, outcome: StripeOutcome, seconds: number) => void) | undefined;
  /** Learns what Stripe refuses to the key. */
  readonly permissions?: StripePermissions | undefined;
};

/** stripe-node's longest pause before a first retry. */
const retryPauseMs = 500;

/**
 * The official client with limits: by default stripe-node would try for four minutes. The attempts of an
 * operation share `timeoutMs`, so the caller waits no longer than that, plus a pause.
 */
export function createStripeClient(options: StripeClientOptions): StripeClient {
  const { secretKey, apiBase, timeoutMs = 10_000, maxNetworkRetries = 1, observe, permissions } = options;
  const attemptMs = Math.max(
    1,
    Math.floor((timeoutMs - retryPauseMs * maxNetworkRetries) / (maxNetworkRetries + 1)),
  );
  return new Stripe(secretKey, {
    ...(apiBase === undefined ? {} : parseApiBase(apiBase)),
    timeout: attemptMs,
    maxNetworkRetries,
    telemetry: false,
    appInfo: { name: 'billing-entitlements' },
    httpClient: createStripeHttpClient((attempt) => {
      observe?.(attempt.operation, attempt.outcome, attempt.seconds);
      permissions?.note(attempt);
    }),
  });
}

/** Whether a secret key acts on live or on test data. */
export function stripeModeOf(secretKey: string): 'live' | 'test' {
  return /^[sr]k_live_/.test(secretKey) ? 'live' : 'test';
}

function parseApiBase(apiBase: string): { host: string; port: string; protocol: 'http' | 'https' } {
  const { hostname, port, protocol } = new URL(apiBase);
  const isHttp = protocol === 'http:';
  return { host: hostname, port: port || (isHttp ? '80' : '443'), protocol: isHttp ? 'http' : 'https' };
}
