import { monthOf } from '@billing/domain';
import type { Instant, Month } from '@billing/domain';
import type { Database } from '../create-database.ts';
import { isPartitionMissing } from '../database-errors.ts';
import { Prisma } from '../generated/client.ts';

/*
 * Payloads of the ledger's events lie in `stripe_event_payloads`, one partition for each month of `received_at`. The
 * functions that make and drop a partition belong to the owner of the table: the service itself may have lesser rights.
 */

type Raw = Pick<Database, '$queryRaw'>;

const dateOf = (month: Month): string => `${month}-01`;

/** The months that have a partition. */
export async function listPayloadMonths(database: Raw): Promise<Month[]> {
  const rows = await database.$queryRaw<{ month: Month }[]>`
    SELECT replace(right(c.relname, 7), '_', '-') AS month
    FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'public.stripe_event_payloads'::regclass
      AND c.relname ~ '^stripe_event_payloads_[0-9]{4}_[0-9]{2}$'
    ORDER BY c.relname`;
  return rows.map(({ month }) => month);
}

/** False: it is there. Throws where the table stays locked for more than 200 ms. */
export async function makePayloadMonth(database: Raw, month: Month): Promise<boolean> {
  const rows = await database.$queryRaw<{ made: boolean }[]>`
    SELECT public.make_stripe_event_payloads_partition(${dateOf(month)}::date) AS made`;
  return rows[0]?.made === true;
}

/**
 * Drops a month's payloads at once. False: there is no partition. Throws where the table stays locked for more than
 * 200 ms, and for a month that ended less than 31 days ago by Postgres's clock.
 */
export async function dropPayloadMonth(database: Raw, month: Month): Promise<boolean> {
  const rows = await database.$queryRaw<{ dropped: boolean }[]>`
    SELECT public.drop_stripe_event_payloads_partition(${dateOf(month)}::date) AS dropped`;
  return rows[0]?.dropped === true;
}

/**
 * Writes payloads, and once more after making the months that they lack: normally months are made long before, but a
 * worker may have been off for longer, and the ledger must not wait for that. An event that is stored keeps its moment.
 */
export async function withPayloadMonths<T>(
  database: Pick<Database, '$queryJson'>,
  events: readonly { eventId: string; receivedAt: Instant }[],
  write: () => Promise<T>,
): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (!isPartitionMissing(error, 'stripe_event_payloads')) throw error;
    const ids = events.map(({ eventId }) => eventId);
    const months = [...new Set(events.map(({ receivedAt }) => dateOf(monthOf(receivedAt))))];
    await database.$queryJson(Prisma.sql`
      SELECT json_build_object('made', count(public.make_stripe_event_payloads_partition(month))) FROM (
        SELECT unnest(${months}::text[])::date AS month
        UNION
        SELECT date_trunc('month', received_at AT TIME ZONE 'UTC')::date FROM public.stripe_events
        WHERE event_id = ANY(${ids}::text[])) months`);
    return write();
  }
}
