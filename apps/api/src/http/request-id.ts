import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';

const header = 'x-request-id';
const sane = /^[\w.:-]{1,128}$/;

/** The id of a request: the caller's if it is sane, else a new one. */
export function requestIdFor(request: IncomingMessage): string {
  const given = request.headers[header];
  return typeof given === 'string' && sane.test(given) ? given : randomUUID();
}

/** Gives the response its `x-request-id`. */
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
