import { errorCatalog } from '@billing/domain';
import type { ErrorCode } from '@billing/domain';

/** What a caller should do about each error: in the API description and on the errors page. */
export const errorGuide: Record<ErrorCode, string> = {
  invalid_request: 'Correct the fields that `errors` names; the same request cannot succeed.',
  missing_api_key:
    'Send `Authorization: Bearer …` with a project API key, or with an admin secret under `/api/v1/admin`.',
  invalid_api_key:
    'Use a key that is known, not revoked and not expired; ask an administrator for a new one.',
  insufficient_scope:
    'Use a key with the scope that `detail` names (`read`, `checkout` or `usage`); in a web page, one that may only `read`.',
  insufficient_role:
    'Use a name of `ADMIN_API_KEY` with the role that `detail` names; for a call on all projects, one that is not limited to a project.',
  origin_not_allowed:
    "Call from the console's own page; behind a proxy that changes `Host`, set `PUBLIC_URL` to the address that browsers open.",
  address_not_allowed: 'Call from an address of the `allowed_ips` of the key, or use another key.',
  project_mismatch: 'Leave `project_id` out, or use the project of the key.',
  project_inactive:
    'An administrator can switch the project on again (`PATCH /api/v1/admin/projects/{project_id}`).',
  route_not_found: 'Look the address up at `/docs` or in `/openapi.json`; paths are case-sensitive.',
  method_not_allowed: 'Use one of the methods in the `Allow` header.',
  payload_too_large: 'Send a smaller body: at most 256 KiB, batches of usage 2 MiB, webhooks 1 MiB.',
  unsupported_media_type: 'Send `Content-Type: application/json` in UTF-8, without compression.',
  request_timeout: 'Send the whole request without a pause.',
  request_header_too_large: 'Send shorter headers and a shorter URL: together at most 16 KiB.',
  rate_limited: 'Wait as many seconds as `Retry-After` says, then send it again.',
  project_not_found: 'Create the project first, or correct its id.',
  product_not_found: 'Create the product first, or correct its id.',
  price_not_found: "Use the id of one of this project's prices, ours or Stripe's.",
  promotion_code_not_found:
    'Use a promotion code that is active in the Stripe account and open to this customer, or its id (`promo_…`).',
  api_key_not_found: 'List the keys of the project for the right `key_id`.',
  customer_not_found:
    'Offer the portal to users who have bought something; move only a customer that is mapped, or has bought something here.',
  subscription_not_found:
    'Use the id of a subscription that was heard of here; `POST /api/v1/admin/reconcile` brings in what was not.',
  payment_not_found:
    'Use the id of a PaymentIntent or Checkout session that was heard of here and bought something. A payment of an invoice follows its subscription.',
  source_not_found:
    "Send the `source_id` of a source that the user's explanation shows with `owner_source: buyer_hint`; no other needs to be confirmed.",
  user_not_found: 'Find the user by another id: `GET /api/v1/admin/users?query=…`.',
  grant_not_found: 'Use the `grant_id` that the grant was answered with.',
  event_not_found:
    'Use an `event_id` that `GET /api/v1/admin/events` lists; an event that never came, or is forgotten by now, has none. In `corrects`: an event of the same user and feature.',
  run_not_found: 'Use a `run_id` that `GET /api/v1/admin/runs` lists.',
  feature_not_found: 'Describe the feature first, or correct its code.',
  reservation_not_found: 'Use the id of a reservation that was made; one that was denied is not kept.',
  session_not_found: 'List the sessions for the right `session_id`; one that has ended is not listed.',
  webhook_endpoint_not_found: 'List the webhook endpoints of the project for the right `endpoint_id`.',
  webhook_message_not_found:
    'Use a `message_id` (`webhook-id`) that the deliveries list; it may be older than messages are kept, or of a user who was erased.',
  project_exists: 'Use the project that exists, or another id.',
  product_exists: 'Change the product that exists (`PATCH`), or use another id.',
  default_exists:
    'Take `is_default` from the other product of the group first, or put this one into another group.',
  stripe_product_mapped:
    'Take `stripe_product_id` from the product that has it, in whatever project, or map single prices.',
  price_exists: 'Use the price that exists, or another id; a Stripe price belongs to one project.',
  customer_exists:
    'Check `stripe_customer_id`: this customer is mapped in this project already and stays with its user; if that is the user you mean, nothing is left to do. `PATCH` the customer to move it. Who mapped it by hand is in `GET /api/v1/admin/audit?target_id=…`.',
  price_of_other_project: 'Name the project whose catalog has the prices of the subscription or payment.',
  payload_expired:
    'The event cannot be replayed: neither the ledger nor Stripe keeps its payload. `POST /api/v1/admin/reconcile` brings its object to what Stripe has now.',
  already_revoked: 'Nothing is left to do: the grant is revoked.',
  key_not_active: 'Create a new key: this one is revoked or has ended.',
  has_live_subscription:
    'End the subscription (in the portal or at Stripe), wait until its end has arrived, and ask again.',
  too_many_endpoints: 'Delete an endpoint that is not needed: a project has at most 10.',
  endpoint_disabled: 'Enable the endpoint first (`PATCH` with `is_enabled`).',
  backfill_running: 'Wait until the run that is under way has ended: `GET /api/v1/admin/runs?kind=backfill`.',
  url_not_allowed:
    'Use an https address without user information that leads to public addresses only, or have the operator allow its network (`WEBHOOK_ALLOWED_NETWORKS`); a name must resolve.',
  webhooks_not_configured:
    'Set `WEBHOOK_SECRET_KEY` in API and worker, the same for both: 32 random bytes in base64; keep the keys that made secrets.',
  erasure_not_configured:
    'Set `ERASURE_KEY` in API, worker and command line, the same for all: 32 random bytes in base64.',
  already_subscribed:
    'Send the user to the portal to change or end the subscription that `errors` names, or change it.',
  group_occupied:
    'Change the subscription that `errors` names (`POST /api/v1/subscriptions/{subscription_id}/change`), or send the user to the portal.',
  promotion_code_not_redeemable:
    'Sell without the code, or offer another: `errors` says why Stripe refuses it for this user and sale (a first purchase only, a least amount, another customer, another currency, used up).',
  group_conflict: 'Name at most one plan of each group; add-ons are products without a group.',
  trial_used: 'Sell without `trial_days` and `trial_end`: the user has had the trials that the plan allows.',
  shared_subscription:
    'Another project sells items in it: take out the items of yours by changing it, or have the user use the portal. While a change of the other project is pending, wait until it is made.',
  not_cancelable:
    'Nothing is left to cancel, or no period ends: cancel one that is `incomplete` or `paused` with `at: "now"`.',
  not_resumable: 'Read its state: it has ended (sell a new one), or neither ends nor is paused.',
  not_pausable: 'Pause one that is `trialing`, `active` or `past_due`.',
  price_differs_from_stripe:
    'Leave out the fields that `errors` names, which then are as Stripe has them, or name another Stripe price.',
  price_in_use: 'Archive the price instead (`PATCH` with `is_archived`): subscriptions or purchases have it.',
  price_archived: 'Offer a price that is still sold.',
  not_changeable:
    'Resume the subscription first, or sell a new one: this one has ended, was never paid, is paused, or ends before the change would be made. Where `errors` has a path, Stripe refuses that (a price in another currency, or inactive there).',
  preview_outdated:
    'Make a new preview and show it: the token is older than ten minutes, of another change, or the amount is another one now.',
  payment_required:
    'Send the user to `hosted_invoice_url`: once it is paid, the change is made; until then the old plan goes on. `DELETE …/pending-change` gives it up.',
  no_pending_change: 'Nothing is left to do: no change of the subscription is pending.',
  mode_mismatch: '`subscription` is for prices that are paid again and again, `payment` for one-time prices.',
  feature_exists: 'Change the feature that exists (`PATCH`), or use another code.',
  feature_in_use:
    'Use another code: products or grants have this one, and what it is can change only while nothing does.',
  feature_needs_settings: 'Name the code in `features`, with the settings of its kind.',
  feature_not_metered: 'Name a metered feature, or a limit with `counted: true`.',
  timestamp_out_of_range: 'Send the usage as of now, or adjust the balance instead.',
  event_conflict: 'Use a new `event_id` for an event that differs.',
  correction_too_large: 'Give back at most what is left of what the event took; `detail` says how much.',
  level_below_zero: 'Take off at most the level, or set it (`PUT /api/v1/usage/level`).',
  insufficient_balance: 'Confirm at most what is held, or with `overrun: record` what was used all the same.',
  reservation_conflict: 'Use a new `reservation_id` for a reservation that differs.',
  reservation_closed: 'Use a new reservation: this one has ended in another way.',
  too_many_reservations: 'Confirm or release open reservations of this user and feature first.',
  idempotency_conflict: 'Use a new `Idempotency-Key` for a request that differs.',
  idempotency_in_progress: 'Wait for the answer to the first request, or ask again in a moment.',
  invalid_signature: 'Check the signing secret and the clock; sign the exact bytes of the body, once.',
  invalid_payload: 'Send an event as Stripe does: an id, a type and an object in `data.object`.',
  stripe_error:
    'Stripe refused what the request cannot mend: the price that `errors` names (it is unknown or inactive at Stripe, or of another currency or interval than the rest), the key, a permission, or a setting of the Stripe account; `detail` names its code and parameter. Tell the operator; the same request will be refused until the cause is corrected.',
  stripe_unavailable:
    'Send the request again after `Retry-After`, with the same `Idempotency-Key`: no sale was charged, but a change of a subscription may have been made.',
  queue_unavailable: 'Send it again after `Retry-After`; Stripe does so by itself.',
  usage_unavailable: 'Nothing was taken. Send the same event id again after `Retry-After`.',
  service_unavailable: 'Send the request again after `Retry-After`.',
  internal_error: 'Try again; if it stays, report it with `request_id`.',
};

/** Every code, in the order of the catalog. */
export const errorCodes: readonly ErrorCode[] = Object.keys(errorCatalog).filter(
  (code): code is ErrorCode => code in errorGuide,
);
