import { bucketKey, isSameBucket, splitBuckets, toTimestamp, toTimestampOrNull } from '@billing/domain';
import type { BucketState, Instant } from '@billing/domain';
import type { QueryJson } from '../query-json.ts';
import { sqlTemplate } from '../sql-template.ts';
import { crossingRows, keyOf, meterRows, slotRows } from './change-rows.ts';
import type { AccountChange } from './change-rows.ts';
import { markCrossings } from '../webhooks/mark-crossings.ts';
import { toEventRow, toReservationRow } from './event-rows.ts';
import type { StoredUsageEvent } from './event-rows.ts';

export type BatchWrite = {
  changes: readonly AccountChange[];
  /** The events that were read: those that are corrected are among them. */
  known: readonly StoredUsageEvent[];
  now: Instant;
  rememberedSince: Date;
};

/** An id was given to another user's event since it was looked up: the batch is to be decided again. */
export class IdTaken extends Error {
  override readonly name = 'IdTaken';
}

const account = 'project_id text, user_id text, feature_code text';
const isSame = (a: string, b: string): string =>
  `${a}.project_id = ${b}.project_id AND ${a}.user_id = ${b}.user_id AND ${a}.feature_code = ${b}.feature_code`;

const eventColumns = `project_id, user_id, feature_code, usage_seq, recorded_at, event_id, kind, mode, quantity, happened_at,
  corrects, corrected, parts, level, allowed, reason, body_digest, properties`;
const reservationColumns = `project_id, reservation_id, user_id, feature_code, quantity, parts, on_expiry, created_at, expires_at,
  state, reason, confirmed, body_digest`;

/** Ids go in one order, so that no two batches wait for each other. */
const writeStatement = sqlTemplate(`
  WITH states AS (
    UPDATE public.usage_states s SET usage_seq = n.usage_seq, level = n.level, level_observed_at = n.level_observed_at,
      open_holds = n.open_holds, holds_due_at = n.holds_due_at, buckets = n.buckets
    FROM json_to_recordset($states::json) AS n (${account}, usage_seq bigint, level bigint, level_observed_at timestamptz,
      open_holds integer, holds_due_at timestamptz, buckets jsonb)
    WHERE ${isSame('s', 'n')} RETURNING 1),
  events AS (
    INSERT INTO public.usage_events (${eventColumns})
    SELECT ${eventColumns} FROM json_to_recordset($events::json) AS n (${account}, usage_seq bigint, recorded_at timestamptz,
      event_id text, kind text, mode text, quantity bigint, happened_at timestamptz, corrects text, corrected bigint,
      parts jsonb, level jsonb, allowed boolean, reason text, body_digest text, properties jsonb)),
  ids AS (
    INSERT INTO public.usage_event_ids AS k (project_id, event_id, user_id, feature_code, usage_seq, recorded_at)
    SELECT project_id, event_id, user_id, feature_code, usage_seq, recorded_at
    FROM json_to_recordset($ids::json) AS n (${account}, event_id text, usage_seq bigint, recorded_at timestamptz)
    ORDER BY project_id COLLATE "C", event_id COLLATE "C"
    ON CONFLICT (project_id, event_id) DO UPDATE SET user_id = excluded.user_id, feature_code = excluded.feature_code,
      usage_seq = excluded.usage_seq, recorded_at = excluded.recorded_at
    WHERE k.recorded_at <= $remembered::timestamptz
    RETURNING 1),
  corrected AS (
    UPDATE public.usage_events e SET corrected = e.corrected + n.by
    FROM json_to_recordset($corrected::json) AS n (${account}, usage_seq bigint, recorded_at timestamptz, by bigint)
    WHERE ${isSame('e', 'n')} AND e.usage_seq = n.usage_seq AND e.recorded_at = n.recorded_at),
  slots AS (
    INSERT INTO public.usage_slots AS s (project_id, user_id, feature_code, start, quantity, overage)
    SELECT project_id, user_id, feature_code, start, quantity, overage
    FROM json_to_recordset($slots::json) AS n (${account}, start timestamptz, quantity bigint, overage bigint)
    ON CONFLICT (project_id, user_id, feature_code, start) DO UPDATE
      SET quantity = s.quantity + excluded.quantity, overage = s.overage + excluded.overage),
  meters AS (
    INSERT INTO public.usage_meter_hours AS m (project_id, user_id, feature_code, hour, due_at)
    SELECT project_id, user_id, feature_code, hour, due_at
    FROM json_to_recordset($meters::json) AS n (${account}, hour timestamptz, due_at timestamptz)
    -- The row is locked in any case: whoever takes it up waits for this transaction, and reads what it wrote.
    ON CONFLICT (project_id, user_id, feature_code, hour) DO UPDATE SET due_at = excluded.due_at WHERE m.due_at IS NULL),
  reservations AS (
    INSERT INTO public.usage_reservations AS r (${reservationColumns})
    SELECT ${reservationColumns} FROM json_to_recordset($reservations::json) AS n (${account}, reservation_id text,
      quantity bigint, parts jsonb, on_expiry text, created_at timestamptz, expires_at timestamptz, state text, reason text,
      confirmed jsonb, body_digest text)
    ORDER BY project_id COLLATE "C", reservation_id COLLATE "C"
    ON CONFLICT (project_id, reservation_id) DO UPDATE
      SET state = excluded.state, parts = excluded.parts, confirmed = excluded.confirmed
      WHERE ${isSame('r', 'excluded')}
    RETURNING 1),
  crossings AS (
    INSERT INTO public.usage_crossings (project_id, user_id, feature_code, usage_seq, position, threshold, used, granted,
      source, source_id, period_start, period_end, crossed_at)
    SELECT project_id, user_id, feature_code, usage_seq, position, threshold, used, granted, source, source_id, period_start,
      period_end, $now::timestamptz
    FROM json_to_recordset($crossings::json) AS n (${account}, usage_seq bigint, position integer, threshold integer,
      used bigint, granted bigint, source text, source_id text, period_start timestamptz, period_end timestamptz)),
  told AS (${markCrossings}),
  ended AS (
    INSERT INTO public.usage_ended_buckets (project_id, user_id, feature_code, bucket_key, ended_at, bucket)
    SELECT project_id, user_id, feature_code, bucket_key, ended_at, bucket
    FROM json_to_recordset($ended::json) AS n (${account}, bucket_key text, ended_at timestamptz, bucket jsonb)
    ON CONFLICT (project_id, user_id, feature_code, bucket_key) DO UPDATE
      SET bucket = excluded.bucket, ended_at = excluded.ended_at),
  revived AS (
    DELETE FROM public.usage_ended_buckets b USING json_to_recordset($revived::json) AS n (${account}, bucket_key text)
    WHERE ${isSame('b', 'n')} AND b.bucket_key = n.bucket_key)
  SELECT json_build_object('states', (SELECT count(*) FROM states), 'ids', (SELECT count(*) FROM ids),
    'reservations', (SELECT count(*) FROM reservations))`);

function stateRows(one: AccountChange) {
  const { account: after } = one.change;
  const { state } = after;
  const { live, ended } = splitBuckets(after);
  const isNew = (bucket: BucketState): boolean => !one.ended.includes(bucket);
  const key = keyOf(one);
  return {
    state: {
      ...key,
      usage_seq: state.usageSeq,
      level: state.level,
      level_observed_at: toTimestampOrNull(state.levelObservedAt),
      open_holds: state.openHolds,
      holds_due_at: toTimestampOrNull(state.holdsDueAt),
      buckets: live,
    },
    ended: ended.filter(isNew).map((bucket) => ({
      ...key,
      bucket_key: bucketKey(bucket),
      ended_at: toTimestamp(bucket.end ?? 0),
      bucket,
    })),
    revived: one.ended
      .filter((bucket) => live.some((other) => isSameBucket(other, bucket)))
      .map((bucket) => ({ ...key, bucket_key: bucketKey(bucket) })),
  };
}

/** Events of a change, those that it corrects itself with what was corrected; and what it corrects of stored ones. */
function eventRows({ change, ...key }: AccountChange, known: readonly StoredUsageEvent[]) {
  const by = new Map<string, number>();
  for (const one of change.corrected) by.set(one.eventId, (by.get(one.eventId) ?? 0) + one.by);
  const isNamed = ({ kind, eventId }: { kind: string; eventId: string }): boolean =>
    kind !== 'reservation' && by.has(eventId);
  const stored = known.filter((event) => event.projectId === key.projectId && isNamed(event));
  const isStored = (eventId: string): boolean => stored.some((event) => event.eventId === eventId);
  return {
    events: change.events.map((event) =>
      toEventRow(
        key.projectId,
        event,
        isNamed(event) && !isStored(event.eventId) ? (by.get(event.eventId) ?? 0) : 0,
      ),
    ),
    corrected: stored.map((event) => ({
      ...keyOf(key),
      usage_seq: event.usageSeq,
      recorded_at: toTimestamp(event.recordedAt),
      by: by.get(event.eventId) ?? 0,
    })),
  };
}

const json = (values: readonly object[]): string => JSON.stringify(values);

type Counts = { states: number; ids: number; reservations: number };

/**
 * Writes all that a batch changes, in one statement. Throws `IdTaken` where another batch took an id meanwhile, and an
 * error for a state's row that is gone.
 */
export async function writeBatch(
  query: QueryJson,
  { changes, known, now, rememberedSince }: BatchWrite,
): Promise<void> {
  if (changes.length === 0) return;
  const rows = changes.map((one) => ({
    ...stateRows(one),
    ...eventRows(one, known),
    slots: slotRows(one),
    meters: meterRows(one, now),
    crossings: crossingRows(one),
    reservations: one.change.reservations.map((row) => toReservationRow(one.projectId, row)),
  }));
  const events = rows.flatMap((row) => row.events);
  const ids = events.filter(({ kind }) => kind !== 'reservation');
  const reservations = rows.flatMap((row) => row.reservations);
  const written = await query<Counts>(
    writeStatement({
      states: json(rows.map((row) => row.state)),
      events: json(events),
      ids: json(ids),
      remembered: rememberedSince,
      corrected: json(rows.flatMap((row) => row.corrected)),
      slots: json(rows.flatMap((row) => row.slots)),
      meters: json(rows.flatMap((row) => row.meters)),
      reservations: json(reservations),
      now: new Date(now),
      crossings: json(rows.flatMap((row) => row.crossings)),
      ended: json(rows.flatMap((row) => row.ended)),
      revived: json(rows.flatMap((row) => row.revived)),
    }),
  );
  if (written.ids !== ids.length || written.reservations !== reservations.length)
    throw new IdTaken('an id was taken meanwhile');
  if (written.states !== changes.length) throw new Error('the row of a state is gone');
}
