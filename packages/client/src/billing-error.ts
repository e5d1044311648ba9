import type { FieldProblem, ServiceErrorCode } from './wire.ts';

/**
 * Codes of the client itself: no connection, no answer in time, or an answer that is not the service's
 * (a proxy's error page, a redirect, something cut short); of `verifyWebhook`: what was received is not the service's.
 */
export type ClientErrorCode =
  'network_error' | 'timeout' | 'invalid_response' | 'invalid_signature' | 'invalid_payload';

/** Editors suggest the known codes; a newer service may send others. */
export type BillingErrorCode = ServiceErrorCode | ClientErrorCode | (string & Record<never, never>);

export type BillingErrorFields = {
  code: BillingErrorCode;
  detail: string;
  /** HTTP status; null: there was no answer. */
  status?: number | null;
  requestId?: string | null;
  errors?: FieldProblem[];
  hostedInvoiceUrl?: string | null;
  retryAfterMs?: number | null;
  cause?: unknown;
};

const retryableStatuses: ReadonlySet<number> = new Set([429, 502, 503, 504]);
const retryableCodes: ReadonlySet<string> = new Set(['network_error', 'timeout', 'idempotency_in_progress']);
/** Stripe refused the request, and would again. Its status, 502, is also that of a proxy that finds no service. */
const refusedByStripe = 'stripe_error';

/** Every failure of a call. `detail` says what to do; neither it nor `cause` contains the API key. */
export class BillingError extends Error {
  override readonly name = 'BillingError';
  readonly code: BillingErrorCode;
  readonly detail: string;
  /** HTTP status; null: there was no answer. */
  readonly status: number | null;
  /** To give to the operators of the service; null: there was no answer. */
  readonly requestId: string | null;
  /** Which fields of the request were wrong, and why. */
  readonly errors: FieldProblem[];
  /** Of `payment_required`: where the user pays what is due; else null. */
  readonly hostedInvoiceUrl: string | null;
  /** The same call may succeed later. */
  readonly retryable: boolean;
  /** How long the service asked to wait, if it did. */
  readonly retryAfterMs: number | null;

  constructor(fields: BillingErrorFields) {
    const { code, detail, cause } = fields;
    super(`${code}: ${detail}`, cause === undefined ? undefined : { cause });
    this.code = code;
    this.detail = detail;
    this.status = fields.status ?? null;
    this.requestId = fields.requestId ?? null;
    this.errors = fields.errors ?? [];
    this.hostedInvoiceUrl = fields.hostedInvoiceUrl ?? null;
    this.retryAfterMs = fields.retryAfterMs ?? null;
    this.retryable =
      retryableCodes.has(code) ||
      (this.status !== null && retryableStatuses.has(this.status) && code !== refusedByStripe);
  }
}

/**
 * Whether this is a `BillingError`, also of another copy of this package (one loaded as ESM, one as CommonJS), which
 * `instanceof` would not recognize.
 */
export const isBillingError = (error: unknown): error is BillingError =>
  error instanceof Error && error.name === 'BillingError' && 'code' in error && 'retryable' in error;

/**
 * Whether the service, or the connection to it, is out of order, so that the failure says nothing about the user.
 * The other failures (a wrong key, a bad id, an inactive project, what Stripe refused) are mistakes to correct.
 */
export const isUnavailable = (error: unknown): error is BillingError =>
  isBillingError(error) &&
  error.code !== refusedByStripe &&
  (error.retryable || error.code === 'invalid_response' || (error.status !== null && error.status >= 500));
