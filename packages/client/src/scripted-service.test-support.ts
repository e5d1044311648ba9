import { createServer } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { createBillingClient } from './create-billing-client.ts';
import type { BillingClient } from './create-billing-client.ts';
import type { BillingClientOptions } from './options.ts';

export const apiKey = 'proj_test';

export type Seen = { method: string; url: URL; headers: IncomingHttpHeaders; body: string };
/** One step of the script: what happens to one request. */
export type Step = (response: ServerResponse, seen: Seen) => void;

export type ScriptedService = {
  url: string;
  /** Every request so far, in order. */
  seen: Seen[];
  /** The steps to come; the last one is repeated for ever. */
  script: (...steps: Step[]) => void;
  client: (options?: Partial<BillingClientOptions>) => BillingClient;
  stop: () => Promise<void>;
};

/** A real HTTP server that handles each request as the test's script says. */
export async function startScriptedService(): Promise<ScriptedService> {
  const seen: Seen[] = [];
  let steps: Step[] = [];
  const act = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? '/', 'http://service');
    const body = await readBody(request);
    const one = { method: request.method ?? '', url, headers: request.headers, body };
    seen.push(one);
    const step = steps.length > 1 ? steps.shift() : steps[0];
    step?.(response, one);
  };
  const server = createServer((request, response) => void act(request, response));
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  const url = `http://127.0.0.1:${address.port}`;
  return {
    url,
    seen,
    script: (...next) => {
      steps = next;
    },
    client: (options = {}) => createBillingClient({ baseUrl: url, apiKey, ...options }),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('utf8');
}

export const json =
  (body: unknown, status = 200, headers: Record<string, string> = {}): Step =>
  (response) => {
    response.writeHead(status, { 'content-type': 'application/json', 'x-request-id': 'req_1', ...headers });
    response.end(JSON.stringify(body));
  };

export const problem = (status: number, code: string, headers: Record<string, string> = {}): Step =>
  json(
    {
      type: 'about:blank',
      title: code,
      status,
      code,
      detail: `do something about ${code}`,
      request_id: 'req_body',
    },
    status,
    { 'content-type': 'application/problem+json', ...headers },
  );

export const html =
  (status: number): Step =>
  (response) => {
    response.writeHead(status, { 'content-type': 'text/html' });
    response.end('<html><body>gateway</body></html>');
  };

/** Accepts the request and never answers. */
export const hang: Step = () => {};

/** Begins an answer and never ends it. */
export const dribble: Step = (response) => {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.write('{"user_id":');
};

/** Short only where the time limit itself ends the try: with any other step a busy machine may be slow. */
export const limitFor = (step: Step): { timeoutMs: number } => ({
  timeoutMs: step === hang || step === dribble ? 1_000 : 20_000,
});

export const cutOff: Step = (response) => {
  response.destroy();
};

/** Announces more than it sends, then closes the connection. */
export const cutShort: Step = (response) => {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
  response.write('{"user_id":', () => response.destroy());
};
