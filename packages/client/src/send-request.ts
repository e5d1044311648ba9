import { BillingError } from './billing-error.ts';
import { isFieldProblems, isRecord, isString } from './check-answer.ts';
import type { Guard } from './check-answer.ts';
import type { FetchResponse, FetchInit, Settings } from './options.ts';
import { parseRetryAfterMs } from './retry.ts';

export type Call<T> = {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  path: string;
  query?: Record<string, string>;
  body?: unknown;
  idempotencyKey?: string;
  timeoutMs: number;
  isAnswer: Guard<T>;
};

type Connection = Pick<Settings, 'baseUrl' | 'apiKey' | 'fetch'>;
type Received = { response: FetchResponse; text: string };

/** One try: sends, waits at most `timeoutMs` for the whole answer, and checks it. Throws only `BillingError`. */
export async function sendRequest<T>(connection: Connection, call: Call<T>): Promise<T> {
  const { response, text } = await exchange(connection, call);
  const requestId = response.headers.get('x-request-id');
  if (response.status >= 400) throw toServiceError(response, text);
  if (response.status < 200 || response.status >= 300)
    throw new BillingError({
      code: 'invalid_response',
      detail: 'The answer is a redirect. Set baseUrl to the address it leads to.',
      status: response.status,
      requestId,
    });
  const answer = parseJson(text);
  if (!call.isAnswer(answer))
    throw new BillingError({
      code: 'invalid_response',
      detail:
        'The answer is not one of the billing service. Check baseUrl, and any proxy between it and here.',
      status: response.status,
      requestId,
    });
  return answer;
}

async function exchange<T>(connection: Connection, call: Call<T>): Promise<Received> {
  const controller = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const expiry = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(
        new BillingError({
          code: 'timeout',
          detail: `The billing service did not answer within ${call.timeoutMs} ms.`,
        }),
      );
      controller.abort();
    }, call.timeoutMs);
  });
  try {
    // A race, as the caller's own fetch may ignore the signal.
    return await Promise.race([receive(connection, call, controller.signal), expiry]);
  } finally {
    clearTimeout(timer);
  }
}

async function receive<T>(connection: Connection, call: Call<T>, signal: AbortSignal): Promise<Received> {
  try {
    const response = await connection.fetch(toUrl(connection, call), toInit(connection, call, signal));
    return { response, text: await response.text() };
  } catch (cause) {
    throw new BillingError({
      code: 'network_error',
      detail: `The billing service cannot be reached at ${connection.baseUrl}. Check baseUrl and the network.`,
      cause,
    });
  }
}

function toUrl<T>({ baseUrl }: Connection, { path, query }: Call<T>): string {
  const search = query === undefined ? '' : `?${new URLSearchParams(query).toString()}`;
  return `${baseUrl}/api/v1/${path}${search}`;
}

function toInit<T>({ apiKey }: Connection, call: Call<T>, signal: AbortSignal): FetchInit {
  const headers: Record<string, string> = { accept: 'application/json', authorization: `Bearer ${apiKey}` };
  if (call.idempotencyKey !== undefined) headers['idempotency-key'] = call.idempotencyKey;
  // A redirect is not followed: it would carry the key elsewhere, or turn a POST into a GET.
  const init: FetchInit = { method: call.method, headers, redirect: 'manual', signal };
  if (call.body === undefined) return init;
  headers['content-type'] = 'application/json';
  return { ...init, body: JSON.stringify(call.body) };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** From the service's problem document (RFC 9457), or from what a proxy answered in its place. */
function toServiceError(response: FetchResponse, text: string): BillingError {
  const problem = parseJson(text);
  const { status } = response;
  const retryAfterMs = parseRetryAfterMs(response.headers.get('retry-after'), Date.now());
  const requestId = response.headers.get('x-request-id');
  if (!isRecord(problem) || !isString(problem['code']))
    return new BillingError({
      code: 'invalid_response',
      detail: `Something between here and the billing service answered ${status}. Check baseUrl and any proxy.`,
      status,
      requestId,
      retryAfterMs,
    });
  return new BillingError({
    code: problem['code'],
    detail: isString(problem['detail']) ? problem['detail'] : `The billing service answered ${status}.`,
    status,
    requestId: isString(problem['request_id']) ? problem['request_id'] : requestId,
    errors: isFieldProblems(problem['errors']) ? problem['errors'] : [],
    hostedInvoiceUrl: isString(problem['hosted_invoice_url']) ? problem['hosted_invoice_url'] : null,
    retryAfterMs,
  });
}
