import { createServer } from 'node:http';

/** What an HTTP server in Stripe's place may answer that is no answer of Stripe. */
export const nonsense: readonly (readonly [what: string, status: number, body: string])[] = [
  ['500 {}', 500, '{}'],
  ['503 HTML', 503, '<html>Service Unavailable</html>'],
  ['400 {}', 400, '{}'],
  ['404 {}', 404, '{}'],
  ['404 HTML', 404, '<html>Not Found</html>'],
  ['302', 302, '{}'],
  ['200 HTML', 200, '<html>Log in to the network</html>'],
  ['200 and nothing', 200, ''],
  ['200 and half an object', 200, '{"id":"cus_'],
  ['200 null', 200, 'null'],
  ['200 5', 200, '5'],
  ['200 "text"', 200, '"text"'],
  ['200 []', 200, '[]'],
  ['200 {}', 200, '{}'],
  ['200 with null fields', 200, '{"id":null,"url":null,"data":null,"items":null,"has_more":null}'],
  [
    '200 with fields of other types',
    200,
    '{"id":5,"url":[],"data":{},"items":7,"has_more":"no","created":"now"}',
  ],
  ['200 with a list of nothing', 200, '{"object":"list","data":[null,5,{}],"has_more":false}'],
];

export type NonsenseFront = Awaited<ReturnType<typeof startNonsenseFront>>;

/** A server before another one (`target`, which may be known later): it passes requests on, or answers nonsense. */
export async function startNonsenseFront() {
  const seen: string[] = [];
  let target: string | null = null;
  let answer: { status: number; body: string } | null = null;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => void reply(Buffer.concat(chunks)));

    async function reply(body: Buffer): Promise<void> {
      seen.push(`${request.method} ${(request.url ?? '').split('?')[0]}`);
      if (answer !== null || target === null) {
        response.writeHead(answer?.status ?? 502, { 'content-type': 'application/json' });
        return void response.end(answer?.body ?? '');
      }
      const names = ['authorization', 'content-type', 'idempotency-key', 'stripe-version'] as const;
      const headers = names.flatMap((name) => {
        const value = request.headers[name];
        return typeof value === 'string' ? [[name, value] as [string, string]] : [];
      });
      const passed = await fetch(`${target}${request.url}`, {
        method: request.method ?? 'GET',
        headers,
        ...(body.length === 0 ? {} : { body: new Uint8Array(body) }),
      });
      response.writeHead(passed.status, { 'content-type': 'application/json' });
      response.end(Buffer.from(await passed.arrayBuffer()));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    /** Method and path of each request. */
    seen,
    passTo: (url: string): void => {
      target = url;
    },
    /** Null: pass on again. */
    answerWith: (next: { status: number; body: string } | null): void => {
      answer = next;
    },
    close: async (): Promise<void> => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
