import type { Balance, UsageBucket } from './usage-wire.ts';
import type {
  BatchResponse,
  CheckoutResponse,
  ConfirmedCustomer,
  Entitlement,
  EntitlementsResponse,
  EntitlementSource,
  ExplainedUsage,
  Explanation,
  ExplanationReason,
  FeatureKind,
  FieldProblem,
  OwnerSource,
  PortalResponse,
  UsageWhy,
} from './wire.ts';

/**
 * Whether an answer is one of the service's: a proxy's page or half an answer must not become "no entitlements".
 * Unknown fields are accepted, so that a newer service can add some.
 */
export type Guard<T> = (value: unknown) => value is T;

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const isString = (value: unknown): value is string => typeof value === 'string';
export const isBoolean = (value: unknown): value is boolean => typeof value === 'boolean';
export const isTrue = (value: unknown): value is true => value === true;
export const isInteger = (value: unknown): value is number => Number.isInteger(value);
export const isTimestamp = (value: unknown): value is string =>
  isString(value) && !Number.isNaN(Date.parse(value));
// A newer service may send other words; an answer is not refused for one of them.
const isSource = (value: unknown): value is EntitlementSource => isString(value);
const isReason = (value: unknown): value is ExplanationReason => isString(value);

const isFeatureKind = (value: unknown): value is FeatureKind => isString(value);
const isUsageKind = (value: unknown): value is 'limit' | 'metered' => isString(value);
const isUsageWhy = (value: unknown): value is UsageWhy => isString(value);
const isAnything = (_value: unknown): _value is unknown => true;

const isOwnerSource = (value: unknown): value is OwnerSource => isString(value);
const isWarning = (value: unknown): value is 'possible_duplicate' => isString(value);

export const nullable =
  <T>(guard: Guard<T>): Guard<T | null> =>
  (value): value is T | null =>
    value === null || guard(value);

const optional =
  <T>(guard: Guard<T>): Guard<T | undefined> =>
  (value): value is T | undefined =>
    value === undefined || guard(value);

export const listOf =
  <T>(guard: Guard<T>): Guard<T[]> =>
  (value): value is T[] =>
    Array.isArray(value) && value.every((item) => guard(item));

export function shape<T>(fields: { [K in keyof T]-?: Guard<T[K]> }): Guard<T> {
  return (value): value is T => {
    if (!isRecord(value)) return false;
    for (const name in fields) if (!fields[name](value[name])) return false;
    return true;
  };
}

const isBucketSource = (value: unknown): value is UsageBucket['source'] => isString(value);

export const isBalance = shape<Balance>({
  granted: nullable(isInteger),
  used: isInteger,
  held: isInteger,
  remaining: nullable(isInteger),
  overage: isInteger,
  overage_limit: nullable(isInteger),
  unlimited: isBoolean,
  resets_at: nullable(isTimestamp),
  next_expiry: nullable(shape({ at: isTimestamp, amount: isInteger })),
  buckets: listOf(
    shape<UsageBucket>({
      source: isBucketSource,
      source_id: isString,
      period_start: isTimestamp,
      period_end: nullable(isTimestamp),
      granted: nullable(isInteger),
      rolled_over: isInteger,
      used: isInteger,
      held: isInteger,
      remaining: nullable(isInteger),
    }),
  ),
});

const isEntitlement = shape<Entitlement>({
  feature_code: isString,
  is_active: isTrue,
  valid_from: nullable(isTimestamp),
  valid_to: nullable(isTimestamp),
  current_period_end: nullable(isTimestamp),
  source: isSource,
  source_id: isString,
  status: isString,
  quantity: isInteger,
  confirmed: isBoolean,
  kind: optional(isFeatureKind),
  limit: optional(nullable(isInteger)),
  value: isAnything,
  allowance: optional(nullable(isInteger)),
  period_start: optional(nullable(isTimestamp)),
  period_end: optional(nullable(isTimestamp)),
  balance: optional(isBalance),
});

const isExplainedUsage = shape<ExplainedUsage>({
  feature_code: isString,
  kind: isUsageKind,
  gives: nullable(isInteger),
  why: isUsageWhy,
  bucket: nullable(
    shape({
      period: isString,
      period_start: isTimestamp,
      period_end: nullable(isTimestamp),
      ends_at: nullable(isTimestamp),
      overage_limit: nullable(isInteger),
      rollover_periods: isInteger,
    }),
  ),
});

const isExplanation = shape<Explanation>({
  source: isSource,
  source_id: isString,
  stripe_price_id: nullable(isString),
  feature_codes: listOf(isString),
  in_force: isBoolean,
  reason: isReason,
  status: isString,
  valid_from: nullable(isTimestamp),
  valid_to: nullable(isTimestamp),
  current_period_end: nullable(isTimestamp),
  quantity: isInteger,
  confirmed: isBoolean,
  usage: optional(listOf(isExplainedUsage)),
  last_event: nullable(shape({ event_id: isString, type: isString, created: isTimestamp })),
  owner_source: optional(nullable(isOwnerSource)),
  duplicate_of: optional(isString),
});

export const isEntitlementsResponse: Guard<EntitlementsResponse> = shape<EntitlementsResponse>({
  user_id: isString,
  project_id: isString,
  entitlements: listOf(isEntitlement),
  version: isInteger,
  as_of: isTimestamp,
  valid_until: nullable(isTimestamp),
  checked_at: isTimestamp,
  explanation: optional(listOf(isExplanation)),
});

export const isBatchResponse: Guard<BatchResponse> = shape<BatchResponse>({
  project_id: isString,
  results: listOf(isEntitlementsResponse),
});

export const isCheckoutResponse: Guard<CheckoutResponse> = shape<CheckoutResponse>({
  checkout_url: nullable(isString),
  client_secret: optional(isString),
  session_id: isString,
  expires_at: isTimestamp,
  warnings: optional(listOf(isWarning)),
});

export const isConfirmedCustomer: Guard<ConfirmedCustomer> = shape<ConfirmedCustomer>({
  user_id: isString,
  source_id: isString,
  stripe_customer_id: nullable(isString),
});

export const isPortalResponse: Guard<PortalResponse> = shape<PortalResponse>({
  portal_url: isString,
  expires_at: isTimestamp,
});

export const isFieldProblems: Guard<FieldProblem[]> = listOf(
  shape<FieldProblem>({ path: isString, message: isString }),
);
