import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';

const header = 'x-request-id';

/** The id of a request: the caller's if it is well formed, else a new one. */
export function requestIdFor(request: IncomingMessage): string {
  const given = request.headers[header];
  return typeof given === 'string' && /^[\w.:-]{1,128}$/.test(given) ? given : randomUUID();
}

/** Sets the response's `x-request-id`, and returns it. */
export function assignRequestId(request: IncomingMessage, response: ServerResponse): string {
  const requestId = requestIdFor(request);
  response.setHeader(header, requestId);
  return requestId;
}

/** The id that `assignRequestId` gave this response. */
export function requestIdOf(response: ServerResponse): string {
  const assigned = response.getHeader(header);
  return typeof assigned === 'string' ? assigned : 'unknown';
}
