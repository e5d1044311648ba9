import { Stripe } from 'stripe';

export type StripeClient = Stripe;

export type StripeOutcome =
  'ok' | 'client_error' | 'rate_limited' | 'server_error' | 'timeout' | 'connection_error';

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
};

/** stripe-node's longest pause before a first retry. */
const retryPauseMs = 500;

/**
 * The official client with limits: by default stripe-node would try for four minutes. The attempts of an
 * operation share `timeoutMs`, so the caller waits no longer than that, plus a pause.
 */
export function createStripeClient(options: StripeClientOptions): StripeClient {
  const { secretKey, apiBase, timeoutMs = 10_000, maxNetworkRetries = 1, observe } = options;
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

/** Words of Stripe's paths. Anything else is an id: ids of products and prices can be any text. */
const pathWords = new Set(
  (
    'v1 v2 account accounts attach balance billing billing_portal cancel capture charges checkout close confirm ' +
    'configurations coupons core credit_notes customers detach disputes events expire features finalize ' +
    'invoice_payments invoiceitems invoices line_items lines mark_uncollectible pay payment_intents ' +
    'payment_methods portal prices products promotion_codes refund refunds release resume search sessions ' +
    'setup_intents subscription_items subscription_schedules subscriptions test_clocks test_helpers upcoming ' +
    'void advance'
  ).split(' '),
);

/** A bounded metric label for a Stripe request: `GET /v1/subscriptions/:id`. */
export function operationLabel(method: string, path: string): string {
  const [pathname = ''] = path.split('?', 1);
  const segments = pathname.split('/').map((part) => (part === '' || pathWords.has(part) ? part : ':id'));
  return `${method.toUpperCase()} ${segments.join('/')}`;
}
