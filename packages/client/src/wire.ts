import type { Balance } from './usage-wire.ts';

export type * from './checkout-wire.ts';

/**
 * Requests and answers, in the names of the HTTP API. Written out here so that the package has no dependency; a test
 * proves each type equal to the one the service validates with.
 */

export type EntitlementSource = 'subscription' | 'purchase' | 'manual' | 'default';

/** One feature that is in force now. Timestamps are RFC 3339 in UTC. */
export type Entitlement = {
  feature_code: string;
  is_active: true;
  valid_from: string | null;
  /** When access ends unless a later change extends it; null: never. */
  valid_to: string | null;
  /** The paid period itself (subscriptions only). */
  current_period_end: string | null;
  source: EntitlementSource;
  source_id: string;
  status: string;
  quantity: number;
  /** False while the service has yet to confirm the state with Stripe. */
  confirmed: boolean;
  /** What the code stands for; absent: an older service answered. */
  kind?: FeatureKind | undefined;
  /** Limits only: that of all sources together; null: unlimited. */
  limit?: number | null | undefined;
  /** Limits only: the setting's value. */
  value?: unknown;
  /** Metered features only: what the source gives for its present period; null: unlimited. */
  allowance?: number | null | undefined;
  /** Metered features only. */
  period_start?: string | null | undefined;
  /** Metered features only; null: no end. */
  period_end?: string | null | undefined;
  /** Only if usage was asked for: of metered features and counted limits. */
  balance?: Balance | undefined;
};

export type FeatureKind = 'boolean' | 'limit' | 'metered';

/** How the owner of a subscription or purchase is known. */
export type OwnerSource = 'assignment' | 'mapping' | 'metadata' | 'buyer_hint';

/** Why a source is in force or not. A newer service may send other words. */
export type ExplanationReason =
  | 'in_force'
  | 'past_due_in_grace'
  | 'past_due_grace_over'
  | 'unpaid'
  | 'incomplete'
  | 'incomplete_expired'
  | 'paused'
  | 'canceled'
  | 'period_over'
  | 'not_started'
  | 'payment_pending'
  | 'payment_failed'
  | 'refunded'
  | 'disputed'
  | 'revoked'
  | 'buyer_hint'
  | 'unmapped_price'
  | 'quantity_zero'
  | 'group_occupied'
  | 'state_unknown';

/** Why a source gives so much. A newer service may send other words. */
export type UsageWhy =
  | 'allowance'
  | 'trial_allowance'
  | 'past_due_withheld'
  | 'limit'
  | 'add_on'
  | 'amount'
  | 'no_settings'
  | 'not_in_force';

/** What a source gives of a limit or metered feature. */
export type ExplainedUsage = {
  feature_code: string;
  kind: 'limit' | 'metered';
  /** Null: unlimited. */
  gives: number | null;
  why: UsageWhy;
  /** Of a metered feature in force. */
  bucket: {
    /** The rule of its periods, such as `billing`, `month` or `month@Europe/Berlin`. */
    period: string;
    period_start: string;
    period_end: string | null;
    /** From when on it cannot be used. */
    ends_at: string | null;
    /** 0: no overage; null: without limit. */
    overage_limit: number | null;
    rollover_periods: number;
  } | null;
};

/** One source that was considered, in force or not. */
export type Explanation = {
  source: EntitlementSource;
  source_id: string;
  stripe_price_id: string | null;
  feature_codes: string[];
  in_force: boolean;
  reason: ExplanationReason;
  status: string;
  valid_from: string | null;
  valid_to: string | null;
  current_period_end: string | null;
  quantity: number;
  confirmed: boolean;
  /** The last Stripe event that changed it. */
  last_event: { event_id: string; type: string; created: string } | null;
  /** What it gives of each limit and metered feature; absent: of none. */
  usage?: ExplainedUsage[] | undefined;
  /** How the owner is known; `buyer_hint`: only because the buyer typed the user's id. Null or absent: not of a grant. */
  owner_source?: OwnerSource | null | undefined;
  /** Live subscriptions: the oldest other one of the user to the same price or of the same group. */
  duplicate_of?: string | undefined;
};

export type EntitlementsResponse = {
  user_id: string;
  project_id: string;
  /** Only what is in force now, sorted by `feature_code`. */
  entitlements: Entitlement[];
  /** Grows with every change to this user. */
  version: number;
  as_of: string;
  /** The next moment at which the answer changes by itself; null: never. */
  valid_until: string | null;
  checked_at: string;
  explanation?: Explanation[] | undefined;
};

export type BatchResponse = { project_id: string; results: EntitlementsResponse[] };

export type PortalRequest = {
  user_id: string;
  project_id?: string | undefined;
  return_url: string;
  /** Opens the portal at one task, after which the user is sent to `return_url`. */
  flow?: 'payment_method_update' | 'subscription_cancel' | 'subscription_update' | undefined;
  /** The customer that holds it is opened. May be left out where the user has one live subscription. */
  subscription_id?: string | undefined;
  /** Stripe's configuration of the portal; default: the project's. */
  configuration?: string | undefined;
};

export type PortalResponse = { portal_url: string; expires_at: string };

/** Amounts are in minor units. */
export type Invoice = {
  invoice_id: string;
  /** Null: a draft has none yet. */
  number: string | null;
  status: string | null;
  total: number;
  amount_due: number;
  currency: string;
  created: string;
  period_start: string;
  period_end: string;
  /** Stripe's page, on which it can be paid. */
  hosted_invoice_url: string | null;
  invoice_pdf: string | null;
};

/** A page may have fewer rows than its limit although `next_cursor` leads on. */
export type InvoiceList = { data: Invoice[]; next_cursor: string | null };

export type ConfirmCustomerRequest = {
  user_id: string;
  project_id?: string | undefined;
  /** The `source_id` of an explanation whose `owner_source` is `buyer_hint`. */
  source_id: string;
};

export type ConfirmedCustomer = {
  user_id: string;
  source_id: string;
  /** Null: it was bought without a Stripe customer. */
  stripe_customer_id: string | null;
};

export type FieldProblem = { path: string; message: string };

/** Codes that a project's calls can receive. A newer service may send others. */
export type ServiceErrorCode =
  | 'invalid_request'
  | 'missing_api_key'
  | 'invalid_api_key'
  | 'insufficient_scope'
  | 'project_mismatch'
  | 'project_inactive'
  | 'route_not_found'
  | 'payload_too_large'
  | 'unsupported_media_type'
  | 'rate_limited'
  | 'price_not_found'
  | 'price_archived'
  | 'mode_mismatch'
  | 'already_subscribed'
  | 'group_occupied'
  | 'group_conflict'
  | 'trial_used'
  | 'promotion_code_not_found'
  | 'promotion_code_not_redeemable'
  | 'customer_not_found'
  | 'subscription_not_found'
  | 'shared_subscription'
  | 'not_cancelable'
  | 'not_resumable'
  | 'not_pausable'
  | 'not_changeable'
  | 'preview_outdated'
  | 'payment_required'
  | 'no_pending_change'
  | 'source_not_found'
  | 'event_not_found'
  | 'event_conflict'
  | 'feature_not_metered'
  | 'timestamp_out_of_range'
  | 'correction_too_large'
  | 'level_below_zero'
  | 'reservation_not_found'
  | 'reservation_conflict'
  | 'reservation_closed'
  | 'too_many_reservations'
  | 'insufficient_balance'
  | 'usage_unavailable'
  | 'customer_exists'
  | 'idempotency_conflict'
  | 'idempotency_in_progress'
  | 'stripe_error'
  | 'stripe_unavailable'
  | 'service_unavailable'
  | 'internal_error';
