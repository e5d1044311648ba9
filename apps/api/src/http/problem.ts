import type { ServerResponse } from 'node:http';
import { errorCatalog } from '@billing/domain';
import type { ErrorCode, FieldProblem, ServiceError } from '@billing/domain';

/**
 * On every answer; pages loosen the policy for themselves. Entitlements must not be stored, framed or sniffed. A
 * successful check has only those that matter for JSON that no browser loads: `no-store`, `nosniff`.
 */
export const securityHeaders = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
} as const;

/** The only place that knows HTTP statuses. */
const statusOfCode: Record<ErrorCode, number> = {
  invalid_request: 400,
  missing_api_key: 401,
  invalid_api_key: 401,
  insufficient_scope: 403,
  insufficient_role: 403,
  origin_not_allowed: 403,
  address_not_allowed: 403,
  project_mismatch: 403,
  project_inactive: 403,
  route_not_found: 404,
  method_not_allowed: 405,
  payload_too_large: 413,
  unsupported_media_type: 415,
  request_timeout: 408,
  request_header_too_large: 431,
  rate_limited: 429,
  project_not_found: 404,
  product_not_found: 404,
  price_not_found: 404,
  promotion_code_not_found: 404,
  api_key_not_found: 404,
  customer_not_found: 404,
  subscription_not_found: 404,
  payment_not_found: 404,
  source_not_found: 404,
  user_not_found: 404,
  grant_not_found: 404,
  event_not_found: 404,
  run_not_found: 404,
  feature_not_found: 404,
  reservation_not_found: 404,
  session_not_found: 404,
  webhook_endpoint_not_found: 404,
  webhook_message_not_found: 404,
  project_exists: 409,
  product_exists: 409,
  default_exists: 409,
  stripe_product_mapped: 409,
  price_exists: 409,
  customer_exists: 409,
  price_of_other_project: 409,
  payload_expired: 409,
  already_revoked: 409,
  key_not_active: 409,
  has_live_subscription: 409,
  too_many_endpoints: 409,
  endpoint_disabled: 409,
  backfill_running: 409,
  url_not_allowed: 400,
  webhooks_not_configured: 503,
  erasure_not_configured: 503,
  already_subscribed: 409,
  group_occupied: 409,
  promotion_code_not_redeemable: 409,
  group_conflict: 400,
  trial_used: 400,
  shared_subscription: 409,
  not_cancelable: 409,
  not_resumable: 409,
  not_pausable: 409,
  price_differs_from_stripe: 400,
  price_in_use: 409,
  price_archived: 400,
  not_changeable: 409,
  preview_outdated: 409,
  payment_required: 402,
  no_pending_change: 409,
  mode_mismatch: 400,
  feature_exists: 409,
  feature_in_use: 409,
  feature_needs_settings: 400,
  feature_not_metered: 400,
  timestamp_out_of_range: 400,
  event_conflict: 409,
  correction_too_large: 409,
  level_below_zero: 409,
  insufficient_balance: 409,
  reservation_conflict: 409,
  reservation_closed: 409,
  too_many_reservations: 429,
  idempotency_conflict: 409,
  idempotency_in_progress: 409,
  invalid_signature: 401,
  invalid_payload: 400,
  stripe_error: 502,
  stripe_unavailable: 503,
  queue_unavailable: 503,
  usage_unavailable: 503,
  service_unavailable: 503,
  internal_error: 500,
};

export const httpStatusOf = (code: ErrorCode): number => statusOfCode[code];

export type Problem = {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: ErrorCode;
  request_id: string;
  errors?: FieldProblem[];
  hosted_invoice_url?: string;
};

/** An error in the shape of RFC 9457. */
export function toProblem(error: ServiceError, requestId: string): Problem {
  return {
    type: `urn:billing:problem:${error.code}`,
    title: errorCatalog[error.code],
    status: statusOfCode[error.code],
    detail: error.message,
    code: error.code,
    request_id: requestId,
    ...(error.errors === undefined ? {} : { errors: error.errors }),
    ...(error.hostedInvoiceUrl === undefined ? {} : { hosted_invoice_url: error.hostedInvoiceUrl }),
  };
}

function problemHeaders(error: ServiceError, response: ServerResponse): Record<string, string> {
  const status = statusOfCode[error.code];
  const headers: Record<string, string> = {
    'content-type': 'application/problem+json; charset=utf-8',
    ...securityHeaders,
  };
  // RFC 6750: a 401 names the scheme. Stripe's signature is no bearer token; a log-in has set its own.
  if (status === 401 && error.code !== 'invalid_signature' && !response.hasHeader('www-authenticate'))
    headers['www-authenticate'] = 'Bearer';
  const retryAfter = error.retryAfterSeconds ?? (status === 503 || status === 429 ? 1 : undefined);
  if (retryAfter !== undefined) headers['retry-after'] = String(Math.max(1, Math.ceil(retryAfter)));
  // The rest of a body that was refused unread must not be taken for the next request.
  if (status === 413) headers['connection'] = 'close';
  return headers;
}

/** Answers with an error. Where an answer has begun the connection ends, so that a part is not taken for the whole. */
export function sendProblem(response: ServerResponse, error: ServiceError, requestId: string): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const body = JSON.stringify(toProblem(error, requestId));
  response.writeHead(statusOfCode[error.code], {
    ...problemHeaders(error, response),
    'content-length': Buffer.byteLength(body),
  });
  response.end(body);
}
