import { z } from 'zod';
import { startCommerce } from './start-commerce.test-support.ts';
import { testAdmin } from './start-test-api.test-support.ts';

/** The API with a project that sells, and requests that no client library would make. */
export async function startForHostiles() {
  const api = await startCommerce();
  const { projectId, apiKey } = await api.createProject();
  const { priceId } = await api.sell(projectId);

  const get = (path: string, token = apiKey) =>
    fetch(api.url + path, { headers: { authorization: `Bearer ${token}` } });

  /** A body as it is, not as a client library would make it. */
  const post = (path: string, body: string | Buffer, headers: Record<string, string> = {}) =>
    fetch(api.url + path, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${path.includes('/admin/') ? testAdmin.secret : apiKey}`,
        'content-type': 'application/json',
        ...headers,
      },
      body,
    });

  return { api, projectId, priceId, get, post, close: () => api.close() };
}

const problem = z.looseObject({ code: z.string(), status: z.number() });

/** Status and code of a refusal, which must be a problem without internal details. */
export async function problemOf(response: Response): Promise<[number, string]> {
  const body = problem.parse(await response.json());
  expect([response.headers.get('content-type'), body.status]).toEqual([
    'application/problem+json; charset=utf-8',
    response.status,
  ]);
  expect(JSON.stringify(body)).not.toMatch(/node_modules|\bat .*:\d+:\d+|SELECT|prisma/i);
  return [response.status, body.code];
}
