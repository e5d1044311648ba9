import type { ServerResponse } from 'node:http';

/** Sends finished JSON. */
export function reply(
  response: ServerResponse,
  { status, text }: { status: number; text: string },
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    ...headers,
  });
  response.end(text);
}
