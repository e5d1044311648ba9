import { createHmac } from 'node:crypto';
import { adminSecret, webhookSecret } from './secrets.ts';

export type Answer = { status: number; body: unknown; headers: Headers; ms: number };
export type ApiClient = ReturnType<typeof createApiClient>;

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
export function createApiClient(url: string) {
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
    check: (apiKey: string, userId: string): Promise<Answer> =>
      call('GET', `/api/v1/entitlements?user_id=${encodeURIComponent(userId)}`, {
        headers: { authorization: `Bearer ${apiKey}` },
      }),
    checkout: (apiKey: string, body: object, headers: Record<string, string> = {}): Promise<Answer> =>
      call('POST', '/api/v1/checkout/create', {
        headers: { authorization: `Bearer ${apiKey}`, ...headers },
        body: JSON.stringify(body),
      }),
    webhook: (event: object): Promise<Answer> => {
      const body = JSON.stringify(event);
      return call('POST', '/api/v1/webhooks/stripe', {
        headers: { 'stripe-signature': signatureOf(body) },
        body,
      });
    },
    admin: async (method: string, path: string, body?: object): Promise<unknown> => {
      const answer = await call(method, `/api/v1/admin${path}`, {
        headers: { authorization: `Bearer ${adminSecret}` },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      if (answer.status >= 300)
        throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
      return answer.body;
    },
    metrics: async (): Promise<string> => (await fetch(`${url}/metrics`)).text(),
  };
}
