import {
  emptyUsageState,
  expireDue,
  lackedBuckets,
  minuteMs,
  slotRangeOf,
  toTimestamp,
} from '@billing/domain';
import type { Account, BucketState, Instant, SlotPart, UsageSeriesQuery, UsageState } from '@billing/domain';
import type { Database } from '../create-database.ts';
import { Prisma } from '../generated/client.ts';
import { decodeCursor, sequenceKey, toPage } from '../page.ts';
import type { Page } from '../page.ts';
import { readAgainIfConnectionLost } from '../read-again.ts';
import { accountText, columnsOf, groupByAccount } from './account-key.ts';
import type { AccountKey } from './account-key.ts';
import { eventJson, reservationJson } from './event-rows.ts';
import type { StoredReservation, StoredUsageEvent } from './event-rows.ts';
import { askEnded, endedJson } from './read-batch.ts';
import type { EndedBucket } from './read-batch.ts';
import { stateFields } from './state-rows.ts';
import type { StateRow } from './state-rows.ts';
import { accountOf } from './user-sources.ts';
import type { DerivedSources } from './user-sources.ts';

type Json = Pick<Database, '$queryJson'>;

/** What is stored of an account, with its open reservations where one may be due. */
export type ReadState = { state: UsageState; held: StoredReservation[] };

const unused: ReadState = { state: emptyUsageState, held: [] };

/** The states of accounts, by `accountText`; those that nothing was ever used of are left out. */
export async function readStates(
  database: Json,
  keys: readonly AccountKey[],
  now: Instant,
): Promise<Map<string, ReadState>> {
  if (keys.length === 0) return new Map();
  const { projects, users, features } = columnsOf(keys);
  const rows = await readAgainIfConnectionLost(() =>
    database.$queryJson<(StateRow & { held: StoredReservation[] | null })[]>(Prisma.sql`
      SELECT coalesce(json_agg(one), '[]') FROM (
        SELECT asked.position, ${stateFields}, CASE WHEN s.holds_due_at <= ${new Date(now)}::timestamptz THEN (
          SELECT json_agg(${reservationJson}) FROM public.usage_reservations r
          WHERE r.project_id = s.project_id AND r.user_id = s.user_id AND r.feature_code = s.feature_code
            AND r.state = 'held') END AS held
        FROM unnest(${projects}::text[], ${users}::text[], ${features}::text[])
          WITH ORDINALITY AS asked (project_id, user_id, feature_code, position)
        JOIN public.usage_states s ON s.project_id = asked.project_id AND s.user_id = asked.user_id
          AND s.feature_code = asked.feature_code) one`),
  );
  return new Map(
    rows.flatMap(({ position, held, ...state }) => {
      const key = keys[position - 1];
      return key === undefined ? [] : [[accountText(key), { state, held: held ?? [] }] as const];
    }),
  );
}

export type AskedAccounts = {
  keys: readonly AccountKey[];
  /** Of a user, by the id. */
  sourcesOf: (userId: string) => DerivedSources;
  states: ReadonlyMap<string, ReadState>;
};

/** The accounts as decisions would find them, in the order of the keys. */
export async function openAccounts(
  database: Json,
  { keys, sourcesOf, states }: AskedAccounts,
): Promise<Account[]> {
  const open = (key: AccountKey, ended: readonly BucketState[] = []): Account => {
    const { state, held } = states.get(accountText(key)) ?? unused;
    const whole = ended.length === 0 ? state : { ...state, buckets: [...state.buckets, ...ended] };
    return openedAccount(sourcesOf(key.userId), key.featureCode, { state: whole, held });
  };
  const opened = keys.map((key) => open(key));
  const asked = keys.flatMap((key, at) => {
    const account = opened[at];
    return account === undefined ? [] : askEnded(key, lackedBuckets(account));
  });
  if (asked.length === 0) return opened;
  const read = readAgainIfConnectionLost(() =>
    database.$queryJson<EndedBucket[]>(Prisma.sql`SELECT (${endedJson(asked)})`),
  );
  const ended = groupByAccount(await read);
  return keys.map((key) => open(key, ended.get(accountText(key))?.map(({ bucket }) => bucket) ?? []));
}

/** An account of which that is stored; reservations that are due are let go by the clock. */
export function openedAccount(
  sources: DerivedSources,
  featureCode: string,
  { state, held }: ReadState,
): Account {
  const account = accountOf(sources, featureCode, state);
  if (held.length === 0) return account;
  const { now } = account.offer.input;
  const later = held.filter((one) => one.expiresAt > now).map((one) => one.expiresAt);
  return expireDue(account, held, later.length === 0 ? null : Math.min(...later)).account;
}

export type SeriesRow = { start: Instant; quantity: number };

/** Usage is told at most 5 minutes ahead of its time, and processes' clocks differ by seconds. */
const aheadMs = 10 * minuteMs;

/** Since when all events are there: they leave by weeks. */
const keptSince = Prisma.sql`(
  SELECT min(to_date(right(c.relname, 10), 'YYYY_MM_DD')::timestamp AT TIME ZONE 'UTC')
  FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid
  WHERE i.inhparent = 'public.usage_events'::regclass AND c.relname ~ '^usage_events_[0-9]{4}_[0-9]{2}_[0-9]{2}$')`;

/** Parts of slots, from events; where these are gone, the whole slot. */
function partsOf({ projectId, userId, featureCode }: AccountKey, parts: readonly SlotPart[]): Prisma.Sql {
  if (parts.length === 0) return Prisma.empty;
  const dates = (field: keyof SlotPart): string[] => parts.map((part) => toTimestamp(part[field]));
  const recordedFrom = new Date(Math.min(...parts.map(({ from }) => from)) - aheadMs);
  const isOf = (row: string) => Prisma.sql`${Prisma.raw(row)}.project_id = ${projectId}
    AND ${Prisma.raw(row)}.user_id = ${userId} AND ${Prisma.raw(row)}.feature_code = ${featureCode}`;
  return Prisma.sql`
    UNION ALL
    SELECT coalesce(e.happened_at, s.start), coalesce(e.quantity, s.quantity)
    FROM (
      SELECT part.slot, part.since, part.until, part.since - make_interval(secs => ${aheadMs / 1_000}) >= ${keptSince} AS is_kept
      FROM unnest(${dates('slot')}::timestamptz[], ${dates('from')}::timestamptz[], ${dates('to')}::timestamptz[])
        AS part (slot, since, until)) part
      LEFT JOIN public.usage_events e ON part.is_kept AND ${isOf('e')} AND e.recorded_at >= ${recordedFrom}::timestamptz
        AND e.happened_at >= part.since AND e.happened_at < part.until
      LEFT JOIN public.usage_slots s ON NOT part.is_kept AND ${isOf('s')} AND s.start = part.slot
    WHERE e.quantity IS NOT NULL OR s.quantity IS NOT NULL`;
}

/**
 * What was used by hours, days or months, by when it happened: of whole slots, and of events where a bound lies within a
 * slot. The zone is that of the policy; days and months begin in it, hours are the same in all zones that differ by whole ones.
 */
export function readUsageSeries(
  database: Json,
  key: AccountKey,
  { from, to, by, timezone }: Pick<UsageSeriesQuery, 'from' | 'to' | 'by'> & { timezone: string },
): Promise<SeriesRow[]> {
  const zone = by === 'hour' ? 'UTC' : timezone;
  const slots = slotRangeOf({ from, to });
  const since =
    slots.from === undefined ? Prisma.empty : Prisma.sql`AND start >= ${new Date(slots.from)}::timestamptz`;
  const until =
    slots.to === undefined ? Prisma.empty : Prisma.sql`AND start < ${new Date(slots.to)}::timestamptz`;
  return readAgainIfConnectionLost(() =>
    database.$queryJson<SeriesRow[]>(Prisma.sql`
      SELECT coalesce(json_agg(json_build_object('start', (extract(epoch FROM one.start) * 1000)::bigint, 'quantity', one.quantity)
        ORDER BY one.start), '[]')
      FROM (
        SELECT date_trunc(${by}::text, used.start, ${zone}::text) AS start, sum(used.quantity)::bigint AS quantity
        FROM (
          SELECT start, quantity FROM public.usage_slots
          WHERE project_id = ${key.projectId} AND user_id = ${key.userId} AND feature_code = ${key.featureCode}
            ${since} ${until}
          ${partsOf(key, slots.parts)}) used
        GROUP BY 1) one`),
  );
}

/** The events of a user and feature, newest first. */
export async function listUsageEvents(
  database: Json,
  key: AccountKey,
  { limit, cursor, rememberedSince }: { limit: number; cursor?: string | undefined; rememberedSince: Date },
): Promise<Page<StoredUsageEvent>> {
  const before = cursor === undefined ? '9223372036854775807' : decodeCursor(sequenceKey, cursor)[0];
  const rows = await readAgainIfConnectionLost(() =>
    database.$queryJson<StoredUsageEvent[]>(Prisma.sql`
      SELECT coalesce(json_agg(one.event ORDER BY one.usage_seq DESC), '[]') FROM (
        SELECT e.usage_seq, ${eventJson} AS event FROM public.usage_events e
        WHERE e.project_id = ${key.projectId} AND e.user_id = ${key.userId} AND e.feature_code = ${key.featureCode}
          AND e.usage_seq < ${before}::bigint AND e.recorded_at > ${rememberedSince}::timestamptz
        ORDER BY e.usage_seq DESC LIMIT ${limit + 1}) one`),
  );
  return toPage(rows, limit, ({ usageSeq }) => [String(usageSeq)]);
}

/** Null: the project has no such reservation. */
export async function findReservation(
  database: Json,
  projectId: string,
  reservationId: string,
): Promise<StoredReservation | null> {
  const { found } = await readAgainIfConnectionLost(() =>
    database.$queryJson<{ found: StoredReservation | null }>(Prisma.sql`
      SELECT json_build_object('found', (SELECT ${reservationJson} FROM public.usage_reservations r
        WHERE r.project_id = ${projectId} AND r.reservation_id = ${reservationId}))`),
  );
  return found;
}
