import type { ReservationState } from '../contracts/usage.ts';
import type { ErrorCode } from '../errors.ts';
import type { Instant } from '../time.ts';
import type { UsageReason } from './reasons.ts';
import type { StorableJson } from './storable-json.ts';
import { canonicalJson } from './storable-json.ts';
import type { Part } from './usage-state.ts';

export type UseCommand = {
  kind: 'use';
  eventId: string;
  /** Not 0. */
  quantity: number;
  mode: 'enforce' | 'record';
  /** Null: now. */
  timestamp: Instant | null;
  /** When it was received, if it could not be decided then: it is no part of the request. */
  receivedAt?: Instant;
  corrects: string | null;
  properties: StorableJson | null;
};

export type SetLevelCommand = { kind: 'set_level'; eventId: string; level: number; observedAt: Instant };

/** By an operator: positive is used, negative gives back. */
export type AdjustCommand = { kind: 'adjust'; eventId: string; quantity: number; reason: string };

export type ReserveCommand = {
  kind: 'reserve';
  reservationId: string;
  quantity: number;
  expiresInMs: number;
  onExpiry: 'release' | 'charge';
};

export type ConfirmCommand = {
  kind: 'confirm';
  reservationId: string;
  /** Null: what is held. */
  quantity: number | null;
  overrun: 'record' | 'deny';
};

export type ReleaseCommand = { kind: 'release'; reservationId: string };

export type EventCommand = UseCommand | SetLevelCommand | AdjustCommand;
export type ReservationCommand = ReserveCommand | ConfirmCommand | ReleaseCommand;
export type UsageCommand = EventCommand | ReservationCommand;

/** A row of a reservation. */
export type Reservation = {
  reservationId: string;
  userId: string;
  featureCode: string;
  /** What was asked for. */
  quantity: number;
  /** What is held of which buckets; once it is confirmed or charged, what was taken. */
  parts: readonly Part[];
  onExpiry: 'release' | 'charge';
  createdAt: Instant;
  expiresAt: Instant;
  state: ReservationState;
  reason: UsageReason;
  /** Once it is confirmed: what was used, and whether that came after it had expired. */
  confirmed: { quantity: number; late: boolean } | null;
  body: string;
};

/** An outcome that is the caller's mistake, or that changes nothing. */
export type Refusal = { kind: 'refused'; code: ErrorCode; detail: string };

export const refusal = (code: ErrorCode, detail: string): Refusal => ({ kind: 'refused', code, detail });

/** The request as one text: two with the same are the same. Instants are compared, not how they were written. */
export function bodyOf(userId: string, featureCode: string, command: EventCommand | ReserveCommand): string {
  const { receivedAt: _, ...request } = { receivedAt: undefined, ...command };
  return canonicalJson({ user_id: userId, feature_code: featureCode, ...request });
}

/** When usage happened, as far as it is not now. */
export const momentOf = ({ timestamp, receivedAt }: UseCommand): Instant | null =>
  timestamp ?? receivedAt ?? null;
