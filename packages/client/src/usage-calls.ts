import type { Settings } from './options.ts';
import { requireIds, requirePathId } from './require-ids.ts';
import { withRetries } from './retry.ts';
import { sendRequest } from './send-request.ts';
import type { Call } from './send-request.ts';
import {
  isReservationOf,
  isUsageAnswerOf,
  isUsageBatchOf,
  isUsageCheckOf,
  isUsageChecksOf,
  isUsageResultOf,
} from './usage-answer.ts';
import type {
  Confirmation,
  NewReservation,
  Reservation,
  UsageBatchResult,
  UsageCheck,
  UsageCheckBatchRequest,
  UsageEvent,
  UsageLevel,
  UsageQueued,
  UsageResult,
} from './usage-wire.ts';

export type CheckOptions = {
  /** How much is needed. Default 1. */
  required?: number | undefined;
  /** The answer is not older than this `usage_seq`. */
  minUsageSeq?: number | undefined;
};

/** All may be repeated, and are, as ids of the caller stand for the effect. */
export type UsageCalls = {
  /** Whether a user may use this much now. Advice: `use` and `reserve` decide. */
  check: (userId: string, featureCode: string, options?: CheckOptions) => Promise<UsageCheck>;
  /** Up to 100 users of a feature, or features of a user, in the order asked. */
  checkBatch: (request: UsageCheckBatchRequest) => Promise<UsageCheck[]>;
  /** Takes all or nothing (`enforce`), or stores what happened (`record`; `queued` while the database is away). */
  use: (event: UsageEvent) => Promise<UsageResult | UsageQueued>;
  /** Up to 500 events, each for itself, in the order given. */
  useBatch: (events: readonly UsageEvent[]) => Promise<UsageBatchResult[]>;
  /** How much of a counted limit is in use. */
  setLevel: (level: UsageLevel) => Promise<UsageResult>;
  /** Sets usage apart before its size is known. */
  reserve: (reservation: NewReservation) => Promise<Reservation>;
  confirm: (reservationId: string, confirmation?: Confirmation) => Promise<Reservation>;
  release: (reservationId: string) => Promise<Reservation>;
};

/** By their paths in the request. */
const idsOfChecks = (request: UsageCheckBatchRequest): Record<string, unknown> =>
  'user_ids' in request
    ? {
        ...Object.fromEntries(request.user_ids.map((id, index) => [`user_ids.${index}`, id])),
        feature_code: request.feature_code,
      }
    : {
        user_id: request.user_id,
        ...Object.fromEntries(request.feature_codes.map((code, index) => [`feature_codes.${index}`, code])),
      };

const checkQuery = (userId: string, featureCode: string, { required, minUsageSeq }: CheckOptions) => ({
  user_id: userId,
  feature_code: featureCode,
  ...(required === undefined ? {} : { required: String(required) }),
  ...(minUsageSeq === undefined ? {} : { min_usage_seq: String(minUsageSeq) }),
});

type Send = <T>(call: Omit<Call<T>, 'timeoutMs'>) => Promise<T>;

const reservationCalls = (send: Send): Pick<UsageCalls, 'reserve' | 'confirm' | 'release'> => {
  const end = async (id: string, action: string, body: object): Promise<Reservation> => {
    requirePathId('reservation_id', id);
    const path = `usage/reservations/${encodeURIComponent(id)}/${action}`;
    return send({ method: 'POST', path, body, isAnswer: isReservationOf(id) });
  };
  return {
    reserve: async (reservation) => {
      const { reservation_id: id, user_id, feature_code } = reservation;
      requireIds({ user_id, feature_code });
      requirePathId('reservation_id', id);
      const isAnswer = isReservationOf(id);
      return send({ method: 'POST', path: 'usage/reservations', body: reservation, isAnswer });
    },
    confirm: (id, confirmation = {}) => end(id, 'confirm', confirmation),
    release: (id) => end(id, 'release', {}),
  };
};

/** Ids that are none reject with `invalid_request`, without being sent. */
export function createUsageCalls(settings: Settings): UsageCalls {
  const send: Send = (call) =>
    withRetries(settings.retries, () =>
      sendRequest(settings, { ...call, timeoutMs: settings.readTimeoutMs }),
    );
  return {
    check: async (userId, featureCode, options = {}) => {
      requireIds({ user_id: userId, feature_code: featureCode });
      const query = checkQuery(userId, featureCode, options);
      return send({ method: 'GET', path: 'check', query, isAnswer: isUsageCheckOf(userId, featureCode) });
    },
    checkBatch: async (request) => {
      requireIds(idsOfChecks(request));
      const isAnswer = isUsageChecksOf(request);
      return (await send({ method: 'POST', path: 'check/batch', body: request, isAnswer })).results;
    },
    use: async (event) => {
      const { user_id, feature_code, event_id } = event;
      requireIds({ user_id, feature_code, event_id });
      return send({ method: 'POST', path: 'usage', body: event, isAnswer: isUsageAnswerOf(event_id) });
    },
    useBatch: async (events) => {
      const isAnswer = isUsageBatchOf(events);
      return (await send({ method: 'POST', path: 'usage/batch', body: { events }, isAnswer })).results;
    },
    setLevel: async (level) => {
      const { user_id, feature_code, event_id } = level;
      requireIds({ user_id, feature_code, event_id });
      return send({ method: 'PUT', path: 'usage/level', body: level, isAnswer: isUsageResultOf(event_id) });
    },
    ...reservationCalls(send),
  };
}
