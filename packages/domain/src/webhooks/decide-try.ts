import { hourMs, secondMs } from '../time.ts';
import type { Instant } from '../time.ts';

export type EndedTry = {
  /** Null: no answer. */
  status: number | null;
  /** The header of this name. */
  retryAfter: string | null;
  /** How many tries the delivery had before this one. */
  triesBefore: number;
  /** Asked for by an operator: there is no further try. */
  isResend: boolean;
  endedAt: Instant;
  /** Waits before each try; their number is that of the tries. */
  scheduleMs: readonly number[];
  /** From 0 to 1: where within 20 % of the schedule the next try is. */
  random: number;
};

export type DecidedTry =
  | { outcome: 'succeeded' }
  /** For good. */
  | { outcome: 'failed' }
  /** After the wait, counted from the end of this try. */
  | { outcome: 'retrying'; waitMs: number };

export const isSuccess = (status: number | null): boolean => status !== null && status >= 200 && status < 300;

/** The receiver says that it is gone for good. */
export const isGone = (status: number | null): boolean => status === 410;

const mostRetryAfterMs = 24 * hourMs;
const httpDate = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;

/** The wait that `Retry-After` asks for (RFC 9110, 10.2.3); 0: none, or one that is not followed. */
export function readRetryAfter(header: string | null, now: Instant): number {
  const text = header?.trim() ?? '';
  const waitMs = /^\d{1,9}$/.test(text)
    ? Number(text) * secondMs
    : httpDate.test(text)
      ? Date.parse(text) - now
      : 0;
  return waitMs > 0 && waitMs <= mostRetryAfterMs ? waitMs : 0;
}

/** Spreads the tries of many that failed at the same moment. */
const spread = 0.2;

/** What becomes of a delivery after a try. The status alone decides. */
export function decideTry(ended: EndedTry): DecidedTry {
  const { status, retryAfter, triesBefore, isResend, endedAt, scheduleMs, random } = ended;
  if (isSuccess(status)) return { outcome: 'succeeded' };
  const planned = scheduleMs[triesBefore + 1];
  if (isResend || planned === undefined) return { outcome: 'failed' };
  const scheduled = Math.round(planned * (1 - spread + 2 * spread * random));
  const asked = status === 429 || status === 503 ? readRetryAfter(retryAfter, endedAt) : 0;
  return { outcome: 'retrying', waitMs: Math.max(scheduled, asked) };
}
