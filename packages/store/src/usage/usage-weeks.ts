import { dayMs, toTimestamp } from '@billing/domain';
import type { Instant } from '@billing/domain';
import type { Database } from '../create-database.ts';
import { isPartitionMissing } from '../database-errors.ts';

/*
 * Events of usage lie in `usage_events`, one partition for each week of `recorded_at`. The functions that make and drop a
 * partition belong to the owner of the table: the service itself may have lesser rights.
 */

type Raw = Pick<Database, '$queryRaw'>;

/** A Monday (UTC), as `2026-11-23`. */
export type Week = string;

const weekMs = 7 * dayMs;
/** 1970-01-01 was a Thursday. */
const mondayMs = 4 * dayMs;

export const startOfWeek = (at: Instant): Instant => Math.floor((at - mondayMs) / weekMs) * weekMs + mondayMs;

export const weekOf = (at: Instant): Week => toTimestamp(startOfWeek(at)).slice(0, 10);

/** The weeks that have a partition. */
export async function listUsageWeeks(database: Raw): Promise<Week[]> {
  const rows = await database.$queryRaw<{ week: Week }[]>`
    SELECT replace(right(c.relname, 10), '_', '-') AS week
    FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'public.usage_events'::regclass AND c.relname ~ '^usage_events_[0-9]{4}_[0-9]{2}_[0-9]{2}$'
    ORDER BY c.relname`;
  return rows.map(({ week }) => week);
}

/** False: it is there. Throws where the table stays locked for more than 200 ms. */
export async function makeUsageWeek(database: Raw, week: Week): Promise<boolean> {
  const rows = await database.$queryRaw<{ made: boolean }[]>`
    SELECT public.make_usage_events_partition(${week}::date) AS made`;
  return rows[0]?.made === true;
}

/**
 * Drops a week's events at once. False: there is no partition. Throws where the table stays locked for more than 200 ms,
 * and for a week that is not over for a day by Postgres's clock.
 */
export async function dropUsageWeek(database: Raw, week: Week): Promise<boolean> {
  const rows = await database.$queryRaw<{ dropped: boolean }[]>`
    SELECT public.drop_usage_events_partition(${week}::date) AS dropped`;
  return rows[0]?.dropped === true;
}

export type WeeksPlan = {
  missing: Week[];
  expired: Week[];
  /** Whole weeks that are there after the present one. */
  ahead: number;
};

/** Which weeks are to be made and dropped: events are kept for `keptMs`. */
export function planUsageWeeks({
  existing,
  now,
  weeksAhead,
  keptMs,
}: {
  existing: readonly Week[];
  now: Instant;
  weeksAhead: number;
  keptMs: number;
}): WeeksPlan {
  const start = startOfWeek(now);
  const wanted = Array.from({ length: weeksAhead + 1 }, (_, index) => weekOf(start + index * weekMs));
  const isOver = (week: Week): boolean =>
    Date.parse(week) + weekMs <= now - keptMs && Date.parse(week) + weekMs + dayMs <= now;
  return {
    missing: wanted.filter((week) => !existing.includes(week)),
    expired: existing.filter(isOver),
    ahead: existing.filter((week) => Date.parse(week) > start).length,
  };
}

export const lacksUsageWeek = (error: unknown): boolean => isPartitionMissing(error, 'usage_events');
