import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';

const header = 'x-request-id';
const sane = /^[\w.:-]{1,128}$/;

/** Gives the response its `x-request-id`: the caller's if it is sane, else a new one. */
export function assignRequestId(request: IncomingMessage, response: ServerResponse): string {
  const given = request.headers[header];
  const requestId = typeof given === 'string' && sane.test(given) ? given : randomUUID();
  response.setHeader(header, requestId);
  return requestId;
}

/** The id that `assignRequestId` gave this response. */
export function requestIdOf(response: ServerResponse): string {
  const assigned = response.getHeader(header);
  return typeof assigned === 'string' ? assigned : 'unknown';
}
