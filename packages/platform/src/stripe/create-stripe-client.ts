import { Stripe } from 'stripe';
import { operationLabel } from './operation-label.ts';

export type StripeOutcome =
  'ok' | 'client_error' | 'rate_limited' | 'server_error' | 'timeout' | 'connection_error';

export interface StripeClientOptions {
  readonly secretKey: string;
  /** Another server that speaks Stripe's API, such as `http://127.0.0.1:12111`. */
  readonly apiBase?: string | undefined;
  /** For one operation with all its retries; default 10 s. */
  readonly timeoutMs?: number;
  /** Default 1. */
  readonly maxNetworkRetries?: number;
  /** Hears of each attempt. `operation` is bounded: ids are replaced by `:id`. */
  readonly observe?: ((operation: string, outcome: StripeOutcome, seconds: number) => void) | undefined;
}

/** stripe-node's longest pause before a first retry. */
const RETRY_PAUSE_MS = 500;

/**
 * The official client with limits: by default stripe-node would try for four minutes. The attempts of an
 * operation share `timeoutMs`, so the caller waits no longer than that (and a pause).
 */
export function createStripeClient(options: StripeClientOptions): Stripe {
  const { secretKey, apiBase, timeoutMs = 10_000, maxNetworkRetries = 1, observe } = options;
  const attemptMs = Math.max(
    1,
    Math.floor((timeoutMs - RETRY_PAUSE_MS * maxNetworkRetries) / (maxNetworkRetries + 1)),
  );
  return new Stripe(secretKey, {
    ...(apiBase === undefined ? {} : parseApiBase(apiBase)),
    timeout: attemptMs,
    maxNetworkRetries,
    telemetry: false,
    appInfo: { name: 'billing-entitlements' },
    httpClient: observe === undefined ? Stripe.createNodeHttpClient() : observedHttpClient(observe),
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

type Observe = NonNullable<StripeClientOptions['observe']>;

/** stripe-node's own `response` event is silent about attempts that got no answer; the HTTP client sees them all. */
function observedHttpClient(observe: Observe): Stripe.HttpClient {
  const inner = Stripe.createNodeHttpClient();
  return {
    getClientName: () => inner.getClientName(),
    makeRequest: async (...request) => {
      const startedAt = performance.now();
      const label = operationLabel(request[3], request[2]);
      const report = (outcome: StripeOutcome): void =>
        observe(label, outcome, (performance.now() - startedAt) / 1_000);
      try {
        const response = await inner.makeRequest(...request);
        report(outcomeOfStatus(response.getStatusCode()));
        return response;
      } catch (error) {
        report(isTimeout(error) ? 'timeout' : 'connection_error');
        throw error;
      }
    },
  };
}

function outcomeOfStatus(status: number): StripeOutcome {
  if (status === 429) return 'rate_limited';
  if (status >= 500) return 'server_error';
  return status >= 400 ? 'client_error' : 'ok';
}

function isTimeout(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ETIMEDOUT';
}
