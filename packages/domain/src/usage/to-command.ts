import type {
  ConfirmRequest,
  LevelRequest,
  ReservationRequest,
  UsageEventRequest,
} from '../contracts/usage-requests.ts';
import { secondMs } from '../time.ts';
import type { ConfirmCommand, ReserveCommand, SetLevelCommand, UseCommand } from './commands.ts';
import type { StorableJson } from './storable-json.ts';

const orNull = <T>(value: T | undefined): T | null => (value === undefined ? null : value);

export const toUseCommand = (request: UsageEventRequest): UseCommand => ({
  kind: 'use',
  eventId: request.event_id,
  quantity: request.quantity,
  mode: request.mode,
  timestamp: orNull(request.timestamp),
  corrects: orNull(request.corrects),
  properties: orNull<StorableJson>(request.properties),
});

export const toLevelCommand = (request: LevelRequest): SetLevelCommand => ({
  kind: 'set_level',
  eventId: request.event_id,
  level: request.level,
  observedAt: request.observed_at,
});

export const toReserveCommand = (request: ReservationRequest): ReserveCommand => ({
  kind: 'reserve',
  reservationId: request.reservation_id,
  quantity: request.quantity,
  expiresInMs: request.expires_in_seconds * secondMs,
  onExpiry: request.on_expiry,
});

export const toConfirmCommand = (reservationId: string, request: ConfirmRequest): ConfirmCommand => ({
  kind: 'confirm',
  reservationId,
  quantity: orNull(request.quantity),
  overrun: request.overrun,
});
