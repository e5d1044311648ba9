import { addressOf } from './address.ts';
import type { Query } from './address.ts';
import { readProblem, unreachable } from './problem.ts';
import { endSession, sessionNow } from './query-client.ts';

export type Call = {
  method?: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  path: string;
  query?: Query;
  body?: object;
  signal?: AbortSignal;
};

/** How long reads go to the primary after a change of this page: a replica may not have it yet. */
const freshMs = 15_000;
let changedAt = Number.NEGATIVE_INFINITY;

function headersOf({ method = 'GET', body }: Call): Record<string, string> {
  const isFresh = method === 'GET' && Date.now() - changedAt < freshMs;
  return {
    accept: 'application/json',
    // The session is honoured only together with it: no page of another site can send it.
    'x-console': '1',
    ...(isFresh ? { 'cache-control': 'no-cache' } : {}),
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
  };
}

/** Where the page signs in and out. A refusal there says nothing of a session that is known. */
export const sessionPath = '/console/session';

/** Calls the API with the session's cookie. Throws `ApiError` for every answer that is none of success. */
export async function call<Answer>(request: Call): Promise<Answer> {
  const { method = 'GET', path, query, body, signal } = request;
  const asked = sessionNow();
  const response = await fetch(addressOf(path, query), {
    method,
    headers: headersOf(request),
    credentials: 'same-origin',
    cache: 'no-store',
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(signal === undefined ? {} : { signal }),
  }).catch((error: unknown) => {
    if (signal?.aborted === true) throw error;
    throw unreachable(method === 'GET');
  });
  if (!response.ok) {
    if (response.status === 401 && path !== sessionPath) endSession(asked);
    throw await readProblem(response);
  }
  if (method !== 'GET') changedAt = Date.now();
  const text = await response.text();
  return JSON.parse(text === '' ? 'null' : text);
}
