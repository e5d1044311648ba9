/** Every error that a caller can get: its stable `code` and its title. The API maps codes to HTTP statuses. */
export const errorCatalog = {
  invalid_request: 'The request is not valid',
  missing_api_key: 'No API key was sent',
  invalid_api_key: 'The API key is not valid',
  insufficient_scope: 'The API key may not do this',
  insufficient_role: 'The admin name may not do this',
  origin_not_allowed: 'The request comes from a page of another site',
  address_not_allowed: 'The API key may not be used from this address',
  project_mismatch: 'The project is not the one of the API key',
  project_inactive: 'The project is switched off',
  route_not_found: 'There is nothing at this address',
  method_not_allowed: 'This method is not allowed here',
  payload_too_large: 'The request body is too large',
  unsupported_media_type: 'The media type is not supported',
  request_timeout: 'The request took too long to arrive',
  request_header_too_large: 'The request headers are too large',
  rate_limited: 'Too many requests',
  project_not_found: 'The project does not exist',
  product_not_found: 'The product does not exist',
  price_not_found: 'The price does not exist',
  promotion_code_not_found: 'There is no such promotion code',
  api_key_not_found: 'The API key does not exist',
  customer_not_found: 'There is no such Stripe customer',
  subscription_not_found: 'The subscription does not exist',
  payment_not_found: 'The payment does not exist',
  source_not_found: 'The user has no such source to confirm',
  user_not_found: 'The user does not exist',
  grant_not_found: 'The grant does not exist',
  event_not_found: 'The event does not exist',
  run_not_found: 'The run does not exist',
  feature_not_found: 'The feature does not exist',
  reservation_not_found: 'The reservation does not exist',
  session_not_found: 'The session does not exist',
  webhook_endpoint_not_found: 'The webhook endpoint does not exist',
  webhook_message_not_found: 'The webhook message does not exist',
  project_exists: 'The project exists already',
  product_exists: 'The product exists already',
  default_exists: 'The group has a default product already',
  stripe_product_mapped: 'The Stripe product belongs to another product',
  price_exists: 'The price exists already',
  customer_exists: 'The Stripe customer is mapped already',
  price_of_other_project: 'The prices belong to other projects',
  payload_expired: 'The payload of the event is no longer kept',
  already_revoked: 'The grant is revoked already',
  key_not_active: 'The API key is revoked or has ended',
  has_live_subscription: 'The user has a subscription that has not ended',
  too_many_endpoints: 'The project has as many webhook endpoints as it may',
  endpoint_disabled: 'The webhook endpoint is disabled',
  backfill_running: 'A backfill of the webhook endpoint is under way',
  url_not_allowed: 'The address may not be called',
  webhooks_not_configured: 'No webhooks can be signed here',
  erasure_not_configured: 'No user can be erased here',
  already_subscribed: 'The user has this subscription already',
  group_occupied: 'The user has another plan of the group',
  promotion_code_not_redeemable: 'The promotion code cannot be redeemed for this sale',
  group_conflict: 'The plans exclude each other',
  trial_used: 'The user has had as many trials as there may be',
  shared_subscription: 'The subscription is shared with another project',
  not_cancelable: 'The subscription cannot be canceled',
  not_resumable: 'There is nothing to resume',
  not_pausable: 'The subscription cannot be paused',
  price_differs_from_stripe: 'The price is another one at Stripe',
  price_in_use: 'The price is in use',
  price_archived: 'The price is no longer sold',
  not_changeable: 'The subscription cannot be changed now',
  preview_outdated: 'The preview is out of date',
  payment_required: 'The change waits for its payment',
  no_pending_change: 'No change is pending',
  mode_mismatch: 'The price does not fit the mode',
  feature_exists: 'The feature exists already',
  feature_in_use: 'The feature is in use',
  feature_needs_settings: 'The feature needs settings',
  feature_not_metered: 'No usage is counted for this feature',
  timestamp_out_of_range: 'The time lies too far in the past or the future',
  event_conflict: 'The event id was used for another event',
  correction_too_large: 'More would be given back than was taken',
  level_below_zero: 'The level would fall below zero',
  insufficient_balance: 'There is not enough left',
  reservation_conflict: 'The reservation id was used for another reservation',
  reservation_closed: 'The reservation has ended otherwise',
  too_many_reservations: 'Too many reservations are open',
  idempotency_conflict: 'The idempotency key was used for another request',
  idempotency_in_progress: 'The first request with this idempotency key is still under way',
  invalid_signature: 'The webhook signature is not valid',
  invalid_payload: 'The webhook body is not a Stripe event',
  stripe_error: 'Stripe refused the request',
  stripe_unavailable: 'Stripe cannot be reached',
  queue_unavailable: 'The queue cannot be reached',
  usage_unavailable: 'Usage cannot be taken now',
  service_unavailable: 'A dependency cannot be reached',
  internal_error: 'Something went wrong here',
} as const;

export type ErrorCode = keyof typeof errorCatalog;

export type FieldProblem = { path: string; message: string };

export type ServiceErrorOptions = {
  cause?: unknown;
  /** The same request may succeed later. */
  retryable?: boolean;
  retryAfterSeconds?: number;
  errors?: FieldProblem[];
  /** Where what is due can be paid. */
  hostedInvoiceUrl?: string | undefined;
};

/** An error for the caller: `message` says what to do and contains no secret. */
export class ServiceError extends Error {
  override readonly name = 'ServiceError';
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly retryAfterSeconds: number | undefined;
  readonly errors: FieldProblem[] | undefined;
  readonly hostedInvoiceUrl: string | undefined;

  constructor(code: ErrorCode, message: string, options: ServiceErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryable = options.retryable ?? false;
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.errors = options.errors;
    this.hostedInvoiceUrl = options.hostedInvoiceUrl;
  }
}
