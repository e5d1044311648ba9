import {
  isBalance,
  isBoolean,
  isInteger,
  isRecord,
  isString,
  isTimestamp,
  isTrue,
  listOf,
  nullable,
  shape,
} from './check-answer.ts';
import type { Guard } from './check-answer.ts';
import type {
  Reservation,
  UsageBatchResult,
  UsageCheck,
  UsageCheckBatchRequest,
  UsageEvent,
  UsageQueued,
  UsageRefused,
  UsageResult,
} from './usage-wire.ts';

// A newer service may send other words; an answer is not refused for one of them.
const isKind = (value: unknown): value is UsageCheck['kind'] => isString(value);
const isReason = (value: unknown): value is UsageCheck['reason'] => isString(value);
const isState = (value: unknown): value is Reservation['state'] => isString(value);
const isAnything = (_value: unknown): _value is unknown => true;

const isUsageCheck = shape<UsageCheck>({
  user_id: isString,
  project_id: isString,
  feature_code: isString,
  kind: isKind,
  allowed: isBoolean,
  reason: isReason,
  required: isInteger,
  limit: nullable(isInteger),
  value: isAnything,
  balance: nullable(isBalance),
  version: isInteger,
  usage_seq: isInteger,
  as_of: isTimestamp,
  valid_until: nullable(isTimestamp),
  checked_at: isTimestamp,
});
/** Of this user and feature: an answer about another (from a shared proxy's cache, for example) is refused. */
export const isUsageCheckOf =
  (userId: string, featureCode: string): Guard<UsageCheck> =>
  (value): value is UsageCheck =>
    isUsageCheck(value) && value.user_id === userId && value.feature_code === featureCode;

const isUsageChecks = shape<{ results: UsageCheck[] }>({ results: listOf(isUsageCheck) });

/** One for each that was asked for, in order. */
export function isUsageChecksOf(request: UsageCheckBatchRequest): Guard<{ results: UsageCheck[] }> {
  const isAsked = (check: UsageCheck, index: number): boolean =>
    'user_ids' in request
      ? check.user_id === request.user_ids[index] && check.feature_code === request.feature_code
      : check.user_id === request.user_id && check.feature_code === request.feature_codes[index];
  const { length } = 'user_ids' in request ? request.user_ids : request.feature_codes;
  return (value): value is { results: UsageCheck[] } =>
    isUsageChecks(value) && value.results.length === length && value.results.every(isAsked);
}

const isUsageResult = shape<UsageResult>({
  event_id: isString,
  recorded: isBoolean,
  duplicate: isBoolean,
  allowed: isBoolean,
  reason: isReason,
  quantity: isInteger,
  balance: nullable(isBalance),
  usage_seq: isInteger,
});
const isUsageQueued = shape<UsageQueued>({ event_id: isString, queued: isTrue });
const isUsageRefused = shape<UsageRefused>({
  event_id: nullable(isString),
  error: shape({ code: isString, detail: isString }),
});

/** Of that event. */
export const isUsageResultOf =
  (eventId: string): Guard<UsageResult> =>
  (value): value is UsageResult =>
    isUsageResult(value) && value.event_id === eventId;

/** The same, or that it is queued. */
export const isUsageAnswerOf =
  (eventId: string): Guard<UsageResult | UsageQueued> =>
  (value): value is UsageResult | UsageQueued =>
    (isUsageResult(value) || isUsageQueued(value)) && value.event_id === eventId;

/** One result for each event, in order: an answer that lacks some must not pass for all. */
export const isUsageBatchOf =
  (events: readonly UsageEvent[]): Guard<{ results: UsageBatchResult[] }> =>
  (value): value is { results: UsageBatchResult[] } =>
    isRecord(value) &&
    Array.isArray(value['results']) &&
    value['results'].length === events.length &&
    value['results'].every(
      (one, index) =>
        isUsageRefused(one) ||
        ((isUsageResult(one) || isUsageQueued(one)) && one.event_id === events[index]?.event_id),
    );

const isReservation = shape<Reservation>({
  reservation_id: isString,
  allowed: isBoolean,
  reason: isReason,
  state: isState,
  quantity: isInteger,
  expires_at: isTimestamp,
  late: isBoolean,
  balance: nullable(isBalance),
  usage_seq: isInteger,
});

/** Of that reservation. */
export const isReservationOf =
  (reservationId: string): Guard<Reservation> =>
  (value): value is Reservation =>
    isReservation(value) && value.reservation_id === reservationId;
