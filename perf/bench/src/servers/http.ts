import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';

export const port = Number(process.env['BENCH_PORT']);
export const host = '127.0.0.1';

/** Serves every request on Node's own server. */
export function serve(
  answer: (request: IncomingMessage, response: ServerResponse) => Promise<void> | void,
): void {
  createServer((request, response) => void answer(request, response)).listen(port, host);
}

export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) if (Buffer.isBuffer(chunk)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Sends finished JSON. */
export function reply(response: ServerResponse, { status, text }: { status: number; text: string }): void {
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
  });
  response.end(text);
}
