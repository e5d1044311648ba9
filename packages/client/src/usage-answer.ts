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

export const isUsageCheck = shape<UsageCheck>({
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
export const isUsageChecks = shape<{ results: UsageCheck[] }>({ results: listOf(isUsageCheck) });

export const isUsageResult = shape<UsageResult>({
  event_id: isString,
  recorded: isBoolean,
  duplicate: isBoolean,
  allowed: isBoolean,
  reason: isReason,
  quantity: isInteger,
  balance: nullable(isBalance),
  usage_seq: isInteger,
});
export const isUsageQueued = shape<UsageQueued>({ event_id: isString, queued: isTrue });
const isUsageRefused = shape<UsageRefused>({
  event_id: nullable(isString),
  error: shape({ code: isString, detail: isString }),
});

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

export const isReservation = shape<Reservation>({
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
