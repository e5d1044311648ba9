import { Readable } from 'node:stream';
import { Stripe } from 'stripe';
import { withDeadline } from './deadline.ts';
import { operationLabel } from './stripe-operation.ts';

export type StripeOutcome =
  'ok' | 'client_error' | 'rate_limited' | 'server_error' | 'timeout' | 'connection_error' | 'invalid_answer';

/** What is told of each attempt. `operation` is bounded: ids are replaced by `:id`. */
export type StripeAttempt = {
  operation: string;
  outcome: StripeOutcome;
  seconds: number;
  /** Of an answer that is Stripe's; null: there was none. */
  status: number | null;
  /** Stripe's message where it refused the request; may hold personal data. */
  message: string | null;
};

type Answer = { status: number; body: Record<string, unknown> };

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const timedOut = (): Error =>
  Object.assign(new Error('Stripe did not answer in time.'), { code: 'ETIMEDOUT' });

/** The inner client's own time limit, which also frees the socket, comes first. */
const graceMs = 250;

const rateLimited = {
  error: { type: 'invalid_request_error', code: 'rate_limit', message: 'Too many requests.' },
};

/**
 * What Stripe says, of what an HTTP server answered: an object, and with any status but 2xx one with an error. Null: it is
 * not Stripe's answer (a proxy's page, a JSON scalar, an empty object with 500), and what became of the request is
 * unknown. stripe-node would take `500 {}` for the object that was asked for, and a scalar would end the process.
 */
function answerOf(status: number, body: unknown): Answer | null {
  // Nothing was done, whoever counts the requests.
  if (status === 429) return { status, body: isRecord(body) && isRecord(body['error']) ? body : rateLimited };
  if (!isRecord(body)) return null;
  const hasError = isRecord(body['error']);
  const isSuccess = status >= 200 && status < 300;
  return (isSuccess ? body['error'] === undefined || body['error'] === null : hasError)
    ? { status, body }
    : null;
}

function outcomeOfStatus(status: number): StripeOutcome {
  if (status === 429) return 'rate_limited';
  if (status >= 500) return 'server_error';
  if (status >= 400) return 'client_error';
  return status >= 200 && status < 300 ? 'ok' : 'invalid_answer';
}

const outcomeOfFailure = (error: unknown): StripeOutcome =>
  error instanceof Error && 'code' in error && error.code === 'ETIMEDOUT' ? 'timeout' : 'connection_error';

function messageOf({ body }: Answer): string | null {
  const error = body['error'];
  return isRecord(error) && typeof error['message'] === 'string' ? error['message'] : null;
}

async function readBody(response: Stripe.HttpClientResponse): Promise<unknown> {
  try {
    const body: unknown = await response.toJSON();
    return body;
  } catch (error) {
    // Whole, but no JSON: what was read is not Stripe's. Anything else is a cut body.
    if (error instanceof Error && error.name === 'SyntaxError') return null;
    throw error;
  }
}

function discard(response: Stripe.HttpClientResponse): void {
  const raw = response.getRawResponse();
  if (raw instanceof Readable) raw.destroy();
}

/**
 * stripe-node's client of HTTP with three rules of our own: an attempt ends within its time even where the body drips or
 * breaks off; what is not Stripe's answer is no answer, so that it is tried again under the same idempotency key; and
 * each attempt is reported (stripe-node's own `response` event is silent about those that got no answer).
 */
export function createStripeHttpClient(report: (attempt: StripeAttempt) => void): Stripe.HttpClient {
  const inner = Stripe.createNodeHttpClient();
  return {
    getClientName: () => inner.getClientName(),
    makeRequest: async (...request) => {
      const startedAt = performance.now();
      const operation = operationLabel(request[3], request[2]);
      const [timeoutMs] = request.slice(7);
      const tell = (outcome: StripeOutcome, answer: Answer | null): void =>
        report({
          operation,
          outcome,
          seconds: (performance.now() - startedAt) / 1_000,
          status: answer?.status ?? null,
          message: answer === null ? null : messageOf(answer),
        });
      const attempt = async () => {
        const response = await inner.makeRequest(...request);
        const status = response.getStatusCode();
        const leftMs = Number(timeoutMs) + graceMs - (performance.now() - startedAt);
        const body = await withDeadline(readBody(response), {
          ms: Math.max(1, leftMs),
          onTimeout: timedOut,
        }).catch((error: unknown) => {
          discard(response);
          throw error;
        });
        return { response, status, answer: answerOf(status, body) };
      };
      const { response, status, answer } = await attempt().catch((error: unknown) => {
        tell(outcomeOfFailure(error), null);
        throw error;
      });
      if (answer === null) {
        tell(status >= 400 ? outcomeOfStatus(status) : 'invalid_answer', null);
        throw new Error(`What answered with status ${status} is not Stripe.`);
      }
      tell(outcomeOfStatus(status), answer);
      return {
        getStatusCode: () => status,
        getHeaders: () => response.getHeaders(),
        getRawResponse: () => response.getRawResponse(),
        toStream: (ended) => response.toStream(ended),
        toJSON: () => Promise.resolve(answer.body),
      };
    },
  };
}
