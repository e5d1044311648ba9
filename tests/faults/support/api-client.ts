import { createHmac, randomBytes } from 'node:crypto';

/** Of the processes that a stack starts. */
export const webhookSecret = `whsec_${randomBytes(16).toString('hex')}`;
export const adminSecret = randomBytes(16).toString('hex');

export type Answer = { status: number; body: unknown; headers: Headers; ms: number };

export type ApiClient = {
  url: string;
  check: (apiKey: string, userId: string) => Promise<Answer>;
  checkout: (apiKey: string, body: object) => Promise<Answer>;
  /** Delivers a signed event. */
  webhook: (event: object) => Promise<Answer>;
  /** Throws where the answer is no success. */
  admin: (method: string, path: string, body?: object) => Promise<unknown>;
  metrics: () => Promise<string>;
};

export type CheckBody = {
  entitlements: { feature_code: string; valid_to: string | null }[];
  version: number;
  code?: string;
};

export const bodyOf = (answer: Answer): CheckBody => answer.body as CheckBody;
export const cacheOf = (answer: Answer): string | null => answer.headers.get('x-cache');
export const featuresOf = (answer: Answer): string[] =>
  bodyOf(answer).entitlements.map((entry) => entry.feature_code);

/** `Stripe-Signature` over these bytes, now. */
function signatureOf(payload: string): string {
  const seconds = Math.floor(Date.now() / 1000);
  const digest = createHmac('sha256', webhookSecret).update(`${seconds}.${payload}`).digest('hex');
  return `t=${seconds},v1=${digest}`;
}

/** The calls that the scenarios make. They throw where no answer came at all. */
export function createApiClient(url: string): ApiClient {
  async function call(
    method: string,
    path: string,
    { body, headers }: { body?: string; headers: Record<string, string> },
  ): Promise<Answer> {
    const startedAt = performance.now();
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { 'content-type': 'application/json', ...headers },
      signal: AbortSignal.timeout(30_000),
      ...(body === undefined ? {} : { body }),
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: text === '' ? null : (JSON.parse(text) as unknown),
      ms: performance.now() - startedAt,
    };
  }

  return {
    url,
    check: (apiKey, userId) =>
      call('GET', `/api/v1/entitlements?user_id=${encodeURIComponent(userId)}`, {
        headers: { authorization: `Bearer ${apiKey}` },
      }),
    checkout: (apiKey, body) =>
      call('POST', '/api/v1/checkout/create', {
        headers: { authorization: `Bearer ${apiKey}` },
        body: JSON.stringify(body),
      }),
    webhook: (event) => {
      const body = JSON.stringify(event);
      return call('POST', '/api/v1/webhooks/stripe', {
        headers: { 'stripe-signature': signatureOf(body) },
        body,
      });
    },
    admin: async (method, path, body) => {
      const answer = await call(method, `/api/v1/admin${path}`, {
        headers: { authorization: `Bearer ${adminSecret}` },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      if (answer.status >= 300)
        throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
      return answer.body;
    },
    metrics: async () => (await fetch(`${url}/metrics`)).text(),
  };
}
