import { withRetries } from './retry.ts';
import { sendRequest } from './send-request.ts';
import type { Call } from './send-request.ts';
import type { Settings } from './options.ts';
import {
  isReservation,
  isUsageBatchOf,
  isUsageCheck,
  isUsageChecks,
  isUsageQueued,
  isUsageResult,
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

export function createUsageCalls(settings: Settings): UsageCalls {
  const send = <T>(call: Omit<Call<T>, 'timeoutMs'>): Promise<T> =>
    withRetries(settings.retries, () =>
      sendRequest(settings, { ...call, timeoutMs: settings.readTimeoutMs }),
    );
  const ofReservation = (id: string, action: string, body: object): Promise<Reservation> =>
    send({
      method: 'POST',
      path: `usage/reservations/${encodeURIComponent(id)}/${action}`,
      body,
      isAnswer: (value): value is Reservation => isReservation(value) && value.reservation_id === id,
    });
  return {
    check: (userId, featureCode, { required, minUsageSeq } = {}) =>
      send({
        method: 'GET',
        path: 'check',
        query: {
          user_id: userId,
          feature_code: featureCode,
          ...(required === undefined ? {} : { required: String(required) }),
          ...(minUsageSeq === undefined ? {} : { min_usage_seq: String(minUsageSeq) }),
        },
        isAnswer: (value): value is UsageCheck => isUsageCheck(value) && value.user_id === userId,
      }),
    checkBatch: async (request) =>
      (await send({ method: 'POST', path: 'check/batch', body: request, isAnswer: isUsageChecks })).results,
    use: (event) =>
      send({
        method: 'POST',
        path: 'usage',
        body: event,
        isAnswer: (value): value is UsageResult | UsageQueued =>
          (isUsageResult(value) || isUsageQueued(value)) && value.event_id === event.event_id,
      }),
    useBatch: async (events) => {
      const isAnswer = isUsageBatchOf(events);
      return (await send({ method: 'POST', path: 'usage/batch', body: { events }, isAnswer })).results;
    },
    setLevel: (level) => send({ method: 'PUT', path: 'usage/level', body: level, isAnswer: isUsageResult }),
    reserve: (reservation) =>
      send({
        method: 'POST',
        path: 'usage/reservations',
        body: reservation,
        isAnswer: (value): value is Reservation =>
          isReservation(value) && value.reservation_id === reservation.reservation_id,
      }),
    confirm: (id, confirmation = {}) => ofReservation(id, 'confirm', confirmation),
    release: (id) => ofReservation(id, 'release', {}),
  };
}
