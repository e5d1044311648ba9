import type { Answer } from './api-client.ts';

export type UsageClient = {
  use: (event: object) => Promise<Answer>;
  check: (userId: string) => Promise<Answer>;
  reserve: (reservation: object) => Promise<Answer>;
  reservation: (reservationId: string) => Promise<Answer>;
  end: (reservationId: string, verb: 'confirm' | 'release', body?: object) => Promise<Answer>;
};

/** Calls about the feature `calls` at one process. They throw where no answer came at all. */
export function createUsageClient(url: string, apiKey: string): UsageClient {
  async function call(path: string, body?: object): Promise<Answer> {
    const startedAt = performance.now();
    const response = await fetch(`${url}${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
      signal: AbortSignal.timeout(10_000),
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: JSON.parse(text),
      ms: performance.now() - startedAt,
    };
  }
  return {
    use: (event) => call('/api/v1/usage', { feature_code: 'calls', ...event }),
    reserve: (reservation) => call('/api/v1/usage/reservations', { feature_code: 'calls', ...reservation }),
    reservation: (id) => call(`/api/v1/usage/reservations/${id}`),
    end: (id, verb, body = {}) => call(`/api/v1/usage/reservations/${id}/${verb}`, body),
    check: (userId) => call(`/api/v1/check?feature_code=calls&user_id=${encodeURIComponent(userId)}`),
  };
}
