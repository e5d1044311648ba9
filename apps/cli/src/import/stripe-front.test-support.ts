import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';

/** A request to Stripe. */
export type Asked = { method: string; path: string; query: URLSearchParams };
/** An answer in Stripe's place; `silence`: none, the request stays open. */
export type FrontAnswer = 'silence' | { status: number; headers?: Record<string, string>; body: object };
/** Null: the request goes on to the offline Stripe. */
export type Interference = (asked: Asked) => FrontAnswer | null;

/** A proxy before the offline Stripe: records every request, and answers those that a test wants answered otherwise. */
export async function startStripeFront(stripeUrl: string) {
  const asked: Asked[] = [];
  let interfere: Interference = () => null;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '/', stripeUrl);
    const one = { method: request.method ?? 'GET', path: pathname, query: searchParams };
    asked.push(one);
    const said = interfere(one);
    if (said === 'silence') return;
    if (said === null) return pass(request, response);
    response.writeHead(said.status, { 'content-type': 'application/json', ...said.headers });
    response.end(JSON.stringify(said.body));
  }

  async function pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readBody(request);
    const { authorization = '', 'content-type': contentType = 'text/plain' } = request.headers;
    const answered = await fetch(new URL(request.url ?? '/', stripeUrl), {
      method: request.method ?? 'GET',
      headers: { authorization, 'content-type': contentType },
      ...(body === '' ? {} : { body }),
    });
    response.writeHead(answered.status, { 'content-type': 'application/json' });
    response.end(await answered.text());
  }

  const server = createServer((request, response) => {
    // A connection to the offline Stripe that breaks is to break here as well.
    answer(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the front has no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    asked,
    /** For each page read of a list, the object after which it begins. */
    pagesOf: (path: string): (string | null)[] =>
      asked
        .filter((one) => one.method === 'GET' && one.path === path)
        .map(({ query }) => query.get('starting_after')),
    forget: (): void => void asked.splice(0),
    interfere: (next: Interference): void => {
      interfere = next;
    },
    stop: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('utf8');
}

/** A refusal in Stripe's shape. */
export const refusal = (
  status: number,
  error: { type: string; code?: string; message: string },
): FrontAnswer => ({
  status,
  body: { error },
});

export const invalidKey = refusal(401, {
  type: 'invalid_request_error',
  message: 'Invalid API Key provided.',
});
