import type { FieldProblem, ServiceErrorCode } from './wire.ts';

/**
 * Codes of the client itself: no connection, no answer in time, or an answer that is not the service's
 * (a proxy's error page, a redirect, something cut short).
 */
export type ClientErrorCode = 'network_error' | 'timeout' | 'invalid_response';

/** Known codes are suggested; any other word is possible with a newer service. */
export type BillingErrorCode = ServiceErrorCode | ClientErrorCode | (string & Record<never, never>);

export type BillingErrorFields = {
  code: BillingErrorCode;
  detail: string;
  /** HTTP status; null: there was no answer. */
  status?: number | null;
  requestId?: string | null;
  errors?: FieldProblem[];
  retryAfterMs?: number | null;
  cause?: unknown;
};

const RETRYABLE_STATUSES: ReadonlySet<number> = new Set([429, 502, 503, 504]);
const RETRYABLE_CODES: ReadonlySet<string> = new Set(['network_error', 'timeout', 'idempotency_in_progress']);
/** Stripe refused the request, and will again: it shares its status, 502, with proxies that find no service. */
const REFUSED_BY_STRIPE = 'stripe_error';

/** Every failure of a call. `detail` says what to do; neither it nor `cause` holds the API key. */
export class BillingError extends Error {
  override readonly name = 'BillingError';
  readonly code: BillingErrorCode;
  readonly detail: string;
  /** HTTP status; null: there was no answer. */
  readonly status: number | null;
  /** What to give the operators of the service; null: there was no answer. */
  readonly requestId: string | null;
  /** Which fields of the request were wrong, and why. */
  readonly errors: FieldProblem[];
  /** The same call may succeed later. */
  readonly retryable: boolean;
  /** What the service asked to wait, if it did. */
  readonly retryAfterMs: number | null;

  constructor(fields: BillingErrorFields) {
    super(
      `${fields.code}: ${fields.detail}`,
      fields.cause === undefined ? undefined : { cause: fields.cause },
    );
    this.code = fields.code;
    this.detail = fields.detail;
    this.status = fields.status ?? null;
    this.requestId = fields.requestId ?? null;
    this.errors = fields.errors ?? [];
    this.retryAfterMs = fields.retryAfterMs ?? null;
    this.retryable =
      RETRYABLE_CODES.has(fields.code) ||
      (this.status !== null && RETRYABLE_STATUSES.has(this.status) && fields.code !== REFUSED_BY_STRIPE);
  }
}

/**
 * Whether a call failed here. Holds also where the error was made by another copy of this package
 * (one loaded as ESM, one as CommonJS), which `instanceof` would not see.
 */
export const isBillingError = (error: unknown): error is BillingError =>
  error instanceof Error && error.name === 'BillingError' && 'code' in error && 'retryable' in error;

/**
 * Whether the failure says nothing about the user: the service, or the way to it, is out of order. The other
 * failures (a wrong key, a bad id, a project that is switched off, what Stripe refused) are mistakes to be mended.
 */
export const isUnavailable = (error: unknown): error is BillingError =>
  isBillingError(error) &&
  error.code !== REFUSED_BY_STRIPE &&
  (error.retryable || error.code === 'invalid_response' || (error.status !== null && error.status >= 500));
