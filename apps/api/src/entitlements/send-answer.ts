import { toTimestamp } from '@billing/domain';
import type { Instant } from '@billing/domain';
import type { Response } from 'express';
import type { CacheOutcome } from './answer-source.ts';

/** A cached answer, which lacks its end, with the moment of this check. */
export const finishAnswer = (answer: string, now: Instant): string =>
  `${answer},"checked_at":"${toTimestamp(now)}"}`;

/**
 * `writeHead` and `end` with the finished text and all headers in one flat list: Express's `json` would stringify,
 * hash and sniff again, and headers set one by one take Node's slow way.
 */
export function sendAnswer(
  response: Response,
  text: string,
  { cache, requestId }: { cache: CacheOutcome; requestId: string },
): void {
  response.writeHead(200, [
    'content-type',
    'application/json; charset=utf-8',
    'content-length',
    Buffer.byteLength(text),
    'cache-control',
    'no-store',
    'x-content-type-options',
    'nosniff',
    'x-cache',
    cache,
    'x-request-id',
    requestId,
  ]);
  response.end(text);
}
