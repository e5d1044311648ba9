import type { Instant } from '@billing/domain';
import type { Database } from '../create-database.ts';
import { Prisma } from '../generated/client.ts';

/** Payloads that one statement moves: short enough never to hold up a worker that writes the ledger. */
const movedAtOnce = 500;

/** Where a pass over the payloads stands: the row that was moved last. */
export type MovePosition = { receivedAt: Date; eventId: string };

export type MovedPage = {
  moved: number;
  /** Null: the end was reached. */
  after: MovePosition | null;
};

/** Whether the ledger still has payloads in its own rows: of a process of the previous version. */
export async function hasPayloadsToMove(database: Pick<Database, '$queryRaw'>): Promise<boolean> {
  const rows = await database.$queryRaw<{ exists: boolean }[]>`
    SELECT EXISTS (SELECT FROM public.stripe_events WHERE payload IS NOT NULL) AS exists`;
  return rows[0]?.exists === true;
}

/** Only a job that was added by hand comes from a later month. */
const isMoved = (keptSince: Date): Prisma.Sql => Prisma.sql`
  received_at >= ${keptSince} AND received_at < clock_timestamp() + make_interval(days => 31)`;

/** The month's partition for the payloads that come next. */
async function makeNextMonths(database: Database, { receivedAt, eventId }: MovePosition, keptSince: Date) {
  await database.$queryRaw`
    SELECT count(public.make_stripe_event_payloads_partition(month)) FROM (
      SELECT DISTINCT date_trunc('month', received_at AT TIME ZONE 'UTC')::date AS month FROM (
        SELECT received_at FROM public.stripe_events
        WHERE payload IS NOT NULL AND (received_at, event_id) > (${receivedAt}, ${eventId})
        ORDER BY received_at, event_id LIMIT ${movedAtOnce}) page
      WHERE ${isMoved(keptSince)}) months`;
}

/**
 * Moves the next payloads that lie in rows of the ledger to the table of their month, oldest first; those received before
 * `keptSince` are removed. Rows that somebody else is writing are left to the next pass.
 */
export async function movePayloads(
  database: Database,
  { after, keptSince }: { after: MovePosition; keptSince: Instant },
): Promise<MovedPage> {
  const kept = new Date(keptSince);
  await makeNextMonths(database, after, kept);
  const rows = await database.$queryRaw<MovePosition[]>`
    WITH page AS MATERIALIZED (
      SELECT event_id, received_at, payload FROM public.stripe_events
      WHERE payload IS NOT NULL AND (received_at, event_id) > (${after.receivedAt}, ${after.eventId})
      ORDER BY received_at, event_id LIMIT ${movedAtOnce} FOR UPDATE SKIP LOCKED),
    moved AS (
      INSERT INTO public.stripe_event_payloads (event_id, received_at, payload)
      SELECT event_id, received_at, payload FROM page WHERE ${isMoved(kept)}
      ON CONFLICT (event_id, received_at) DO NOTHING),
    emptied AS (
      UPDATE public.stripe_events SET payload = NULL WHERE event_id = ANY(ARRAY(SELECT event_id FROM page)))
    SELECT received_at AS "receivedAt", event_id AS "eventId" FROM page ORDER BY received_at, event_id`;
  return { moved: rows.length, after: rows.length < movedAtOnce ? null : (rows.at(-1) ?? null) };
}
