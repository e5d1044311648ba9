/** Requests and answers of usage, in the names of the HTTP API. A test proves each equal to the service's own type. */

export type UsageReason =
  | 'in_force'
  | 'unlimited'
  | 'within_allowance'
  | 'within_limit'
  | 'overage_allowed'
  | 'insufficient_balance'
  | 'limit_reached'
  | 'not_entitled';

export type UsageBucket = {
  source: 'subscription' | 'purchase' | 'manual' | 'default' | 'none';
  source_id: string;
  period_start: string;
  /** Null: no end. */
  period_end: string | null;
  /** What was rolled over included; null: unlimited. */
  granted: number | null;
  rolled_over: number;
  used: number;
  held: number;
  remaining: number | null;
};

export type Balance = {
  /** Null: unlimited. */
  granted: number | null;
  /** All that was recorded, overage included. */
  used: number;
  held: number;
  /** Null: unlimited. */
  remaining: number | null;
  /** The part of `used` that no allowance covered when it was taken. */
  overage: number;
  /** 0: none is allowed; null: without limit. */
  overage_limit: number | null;
  unlimited: boolean;
  resets_at: string | null;
  next_expiry: { at: string; amount: number } | null;
  buckets: UsageBucket[];
};

export type UsageCheck = {
  user_id: string;
  project_id: string;
  feature_code: string;
  kind: 'boolean' | 'limit' | 'metered';
  allowed: boolean;
  reason: UsageReason;
  required: number;
  limit: number | null;
  value: unknown;
  /** Metered features and counted limits only. */
  balance: Balance | null;
  version: number;
  usage_seq: number;
  as_of: string;
  valid_until: string | null;
  checked_at: string;
};

export type UsageCheckBatchRequest =
  | { user_ids: readonly string[]; feature_code: string; required?: number | undefined }
  | { user_id: string; feature_codes: readonly string[]; required?: number | undefined };

export type UsageEvent = {
  user_id: string;
  feature_code: string;
  /** Of the project. The same event again has no second effect. */
  event_id: string;
  /** Default 1. Negative for a counted limit, and always with `corrects`. */
  quantity?: number | undefined;
  /** `enforce` (default): all or nothing. `record`: it happened, and is stored in any case. */
  mode?: 'enforce' | 'record' | undefined;
  timestamp?: string | undefined;
  corrects?: string | undefined;
  /** Any JSON up to 2 KB. */
  properties?: unknown;
};

export type UsageResult = {
  event_id: string;
  recorded: boolean;
  duplicate: boolean;
  allowed: boolean;
  reason: UsageReason | 'stale';
  quantity: number;
  balance: Balance | null;
  usage_seq: number;
};

/** The database is away: it is applied later by the same rules. */
export type UsageQueued = { event_id: string; queued: true };

export type UsageLevel = {
  user_id: string;
  feature_code: string;
  level: number;
  observed_at: string;
  event_id: string;
};

export type NewReservation = {
  reservation_id: string;
  user_id: string;
  feature_code: string;
  quantity: number;
  /** Default 300, at most 86,400. */
  expires_in_seconds?: number | undefined;
  on_expiry?: 'release' | 'charge' | undefined;
};

export type Confirmation = {
  /** Default: all that is held. */
  quantity?: number | undefined;
  /** Of more than is held: recorded in any case (default), or only if it is allowed. */
  overrun?: 'record' | 'deny' | undefined;
};

export type Reservation = {
  reservation_id: string;
  allowed: boolean;
  reason: UsageReason;
  state: 'held' | 'confirmed' | 'released' | 'expired' | 'charged' | 'denied';
  quantity: number;
  expires_at: string;
  late: boolean;
  balance: Balance | null;
  usage_seq: number;
};

export type UsageRefused = { event_id: string | null; error: { code: string; detail: string } };
export type UsageBatchResult = UsageResult | UsageQueued | UsageRefused;
