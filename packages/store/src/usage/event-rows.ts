import { createHash } from 'node:crypto';
import { bodyOf, toTimestamp, toTimestampOrNull } from '@billing/domain';
import type { Reservation, UsageCommand, UsageEvent } from '@billing/domain';
import { Prisma } from '../generated/client.ts';
import type { AccountKey } from './account-key.ts';

/** What is kept of a request as one text: 128 bits tell two requests of one id apart. */
export const digestOf = (body: string): string =>
  createHash('sha256').update(body).digest('base64url').slice(0, 22);

const ms = (column: string): Prisma.Sql => Prisma.raw(`(extract(epoch FROM ${column}) * 1000)::bigint`);

/** An event of a row `e`; its `body` is the digest. */
export const eventJson = Prisma.sql`json_build_object(
  'projectId', e.project_id, 'userId', e.user_id, 'featureCode', e.feature_code, 'usageSeq', e.usage_seq, 'kind', e.kind,
  'eventId', e.event_id, 'mode', e.mode, 'quantity', e.quantity, 'at', ${ms('e.happened_at')},
  'recordedAt', ${ms('e.recorded_at')}, 'corrects', e.corrects, 'corrected', e.corrected, 'parts', e.parts, 'level', e.level,
  'allowed', e.allowed, 'reason', e.reason, 'body', e.body_digest, 'properties', e.properties)`;

/** A reservation of a row `r`; its `body` is the digest. */
export const reservationJson = Prisma.sql`json_build_object(
  'projectId', r.project_id, 'reservationId', r.reservation_id, 'userId', r.user_id, 'featureCode', r.feature_code,
  'quantity', r.quantity, 'parts', r.parts, 'onExpiry', r.on_expiry, 'createdAt', ${ms('r.created_at')},
  'expiresAt', ${ms('r.expires_at')}, 'state', r.state, 'reason', r.reason, 'confirmed', r.confirmed, 'body', r.body_digest)`;

export type StoredUsageEvent = UsageEvent & { projectId: string };
export type StoredReservation = Reservation & { projectId: string };

/** The ids that a command names: of events, and of a reservation. */
export function idsOf(command: UsageCommand): { events: string[]; reservation: string | null } {
  switch (command.kind) {
    case 'use':
      return {
        events: [command.eventId, ...(command.corrects === null ? [] : [command.corrects])],
        reservation: null,
      };
    case 'set_level':
    case 'adjust':
      return { events: [command.eventId], reservation: null };
    case 'reserve':
    case 'confirm':
    case 'release':
      return { events: [], reservation: command.reservationId };
  }
}

type Asked = AccountKey & { command: UsageCommand };

/** The request as one text; null: the command makes nothing that is compared. */
function bodyOfAsked({ userId, featureCode, command }: Asked): string | null {
  return command.kind === 'confirm' || command.kind === 'release'
    ? null
    : bodyOf(userId, featureCode, command);
}

/**
 * Puts the request's whole text in place of its digest, where one of the commands has that text: decisions compare
 * texts. Any other stored text is none of theirs.
 */
export function withBodies<One extends { body: string }>(
  rows: readonly One[],
  asked: readonly Asked[],
): One[] {
  if (rows.length === 0) return [];
  const bodies = new Map(
    asked.flatMap((one) => {
      const body = bodyOfAsked(one);
      return body === null ? [] : [[digestOf(body), body] as const];
    }),
  );
  return rows.map((row) => ({ ...row, body: bodies.get(row.body) ?? row.body }));
}

/** The digest of a body that was read, or that a decision made: digests have no braces. */
const storedBody = (body: string): string => (body.startsWith('{') ? digestOf(body) : body);

/** An event as `json_to_recordset` takes it. */
export const toEventRow = (projectId: string, event: UsageEvent, corrected: number) => ({
  project_id: projectId,
  user_id: event.userId,
  feature_code: event.featureCode,
  usage_seq: event.usageSeq,
  recorded_at: toTimestamp(event.recordedAt),
  event_id: event.eventId,
  kind: event.kind,
  mode: event.mode,
  quantity: event.quantity,
  happened_at: toTimestamp(event.at),
  corrects: event.corrects,
  corrected,
  parts: event.parts,
  level: event.level,
  allowed: event.allowed,
  reason: event.reason,
  body_digest: storedBody(event.body),
  properties: event.properties,
});

export const toReservationRow = (projectId: string, reservation: Reservation) => ({
  project_id: projectId,
  reservation_id: reservation.reservationId,
  user_id: reservation.userId,
  feature_code: reservation.featureCode,
  quantity: reservation.quantity,
  parts: reservation.parts,
  on_expiry: reservation.onExpiry,
  created_at: toTimestamp(reservation.createdAt),
  expires_at: toTimestamp(reservation.expiresAt),
  state: reservation.state,
  reason: reservation.reason,
  confirmed: reservation.confirmed,
  body_digest: storedBody(reservation.body),
});

export const toIso = toTimestampOrNull;
