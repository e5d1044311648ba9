import { oldestMeterEventMs } from '@billing/domain';
import type { Instant, ReleaseCommand } from '@billing/domain';
import type { Database } from '../create-database.ts';
import { Prisma } from '../generated/client.ts';
import type { AccountKey } from './account-key.ts';
import { unmarkedKeptMinutes } from './unmarked-commits.ts';
import type { UsageSettings } from './usage-settings.ts';

/** Names no reservation: it is refused, and its account has let go what is due. */
export const expireDueCommand: ReleaseCommand = { kind: 'release', reservationId: '' };

/** Accounts of which a reservation may be due, longest due first. */
export const findDueHolds = (
  database: Pick<Database, '$queryRaw'>,
  { now, limit }: { now: Instant; limit: number },
): Promise<AccountKey[]> =>
  database.$queryRaw<AccountKey[]>`
    SELECT project_id AS "projectId", user_id AS "userId", feature_code AS "featureCode" FROM public.usage_states
    WHERE holds_due_at <= ${new Date(now)} ORDER BY holds_due_at LIMIT ${limit}`;

/** Reservations that are open, and those of them that are due and not written down as over. */
export async function countHeld(
  database: Pick<Database, '$queryRaw'>,
  now: Instant,
): Promise<{ held: number; overdue: number }> {
  const [row] = await database.$queryRaw<{ held: number; overdue: number }[]>`
    SELECT count(*)::integer AS held, (count(*) FILTER (WHERE expires_at <= ${new Date(now)}))::integer AS overdue
    FROM public.usage_reservations WHERE state = 'held'`;
  return row ?? { held: 0, overdue: 0 };
}

const deletedAtOnce = 5_000;

/** A part of a table's rows whose time is over. */
const deletePart = (
  database: Pick<Database, '$executeRaw'>,
  table: string,
  isOver: Prisma.Sql,
): Promise<number> =>
  database.$executeRaw(Prisma.sql`
    DELETE FROM ${Prisma.raw(`public.${table}`)} WHERE ctid = ANY(ARRAY(
      SELECT ctid FROM ${Prisma.raw(`public.${table}`)} WHERE ${isOver} LIMIT ${deletedAtOnce}))`);

/**
 * Deletes a part of what is no longer kept besides events, which leave by weeks: ids, ended buckets (as long as an event
 * of theirs can be corrected), reservations that are over, crossings, refusals, the series, notes of unmarked commits, what
 * meters were told. True: there may be more.
 */
export async function deleteExpiredUsage(
  database: Pick<Database, '$executeRaw'>,
  { now, settings: { retentionMs, lateMs, seriesMs } }: { now: Instant; settings: UsageSettings },
): Promise<boolean> {
  const before = new Date(Math.max(0, now - retentionMs));
  const endedBefore = new Date(Math.max(0, now - retentionMs - lateMs));
  const metersBefore = new Date(Math.min(endedBefore.getTime(), Math.max(0, now - 2 * oldestMeterEventMs)));
  // Meters are told what the series says of an hour.
  const seriesBefore = new Date(Math.min(metersBefore.getTime(), Math.max(0, now - seriesMs)));
  const deleted = [
    await deletePart(database, 'usage_event_ids', Prisma.sql`recorded_at <= ${before}`),
    await deletePart(database, 'usage_ended_buckets', Prisma.sql`ended_at <= ${endedBefore}`),
    await deletePart(database, 'usage_reservations', Prisma.sql`state <> 'held' AND expires_at <= ${before}`),
    await deletePart(database, 'usage_crossings', Prisma.sql`crossed_at <= ${before}`),
    await deletePart(database, 'usage_refusals', Prisma.sql`refused_at <= ${before}`),
    await deletePart(
      database,
      'usage_unmarked_commits',
      Prisma.sql`committed_at < now() - make_interval(mins => ${unmarkedKeptMinutes}::int)`,
    ),
    await deletePart(database, 'usage_slots', Prisma.sql`start <= ${seriesBefore}`),
    // As long as usage of theirs can be corrected, and told: what was told of an hour is what corrections are compared with.
    await deletePart(
      database,
      'usage_meter_hours',
      Prisma.sql`hour <= ${metersBefore} AND due_at IS NULL AND look_at IS NULL`,
    ),
    await deletePart(
      database,
      'usage_meter_reports',
      Prisma.sql`hour <= ${metersBefore} AND state <> 'sending'`,
    ),
  ];
  return deleted.some((count) => count === deletedAtOnce);
}
