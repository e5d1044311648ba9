/** An answer in Stripe's error shape, thrown anywhere below a route. */
export class StripeApiError extends Error {
  readonly status: number;
  readonly type: string;
  readonly code: string | null;
  readonly param: string | null;
  /** What else the error says, e.g. `decline_code` and the `payment_intent`. */
  readonly more: Record<string, unknown>;

  constructor(fields: {
    status: number;
    type?: string;
    code?: string;
    param?: string;
    message: string;
    more?: Record<string, unknown>;
  }) {
    super(fields.message);
    this.name = 'StripeApiError';
    this.status = fields.status;
    this.type = fields.type ?? 'invalid_request_error';
    this.code = fields.code ?? null;
    this.param = fields.param ?? null;
    this.more = fields.more ?? {};
  }
}

/** A 400 that names the parameter. */
export function invalid(message: string, param?: string, code?: string): StripeApiError {
  return new StripeApiError({
    status: 400,
    message,
    ...(param === undefined ? {} : { param }),
    ...(code === undefined ? {} : { code }),
  });
}

/** `No such customer: 'cus_1'`: 404 for the object of the path (param `id`), 400 for one that is referred to. */
export function noSuch(what: string, id: string, param = 'id'): StripeApiError {
  return new StripeApiError({
    status: param === 'id' ? 404 : 400,
    code: 'resource_missing',
    param,
    message: `No such ${what}: '${id}'`,
  });
}

/** A 402: the payer's card was declined. */
export function cardDeclined(more: Record<string, unknown> = {}): StripeApiError {
  return new StripeApiError({
    status: 402,
    type: 'card_error',
    code: 'card_declined',
    message: 'Your card was declined.',
    more: { decline_code: 'generic_decline', ...more },
  });
}

/** The body Stripe sends for an error. */
export function errorBody(error: StripeApiError, requestId: string): object {
  return {
    error: {
      ...(error.code === null
        ? {}
        : {
            code: error.code,
            doc_url: `https://stripe.com/docs/error-codes/${error.code.replaceAll('_', '-')}`,
          }),
      message: error.message,
      ...(error.param === null ? {} : { param: error.param }),
      ...error.more,
      request_log_url: `https://dashboard.stripe.com/test/logs/${requestId}`,
      type: error.type,
    },
  };
}
