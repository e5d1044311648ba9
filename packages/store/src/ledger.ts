import type { EventsQuery } from '@billing/domain';
import type { Database } from './create-database.ts';
import { payloadOf } from './event-payloads/payload-sql.ts';
import type { Prisma, StripeEvent } from './generated/client.ts';
import { given } from './given.ts';
import { decodeCursor, timeAndIdKey, toPage } from './page.ts';
import type { Page } from './page.ts';

/** A ledger row without the event itself. */
export type LedgerRow = Omit<StripeEvent, 'payload'>;

/** Null or absent: of all projects, and events of which no project is known. */
export type OnlyProject = { onlyProject?: string | null };

/** What became of each event, newest first. */
export function listEvents(database: Database, query: EventsQuery & OnlyProject): Promise<Page<LedgerRow>> {
  const filter = {
    status: given(query.status),
    type: given(query.type),
    objectId: given(query.object_id),
    traceId: given(query.trace_id),
    projectId: given(query.onlyProject ?? undefined),
  };
  return listLedger(database, filter, query);
}

/** The rows of the ledger that a filter lets through, newest first. */
export async function listLedger(
  database: Database,
  filter: Prisma.StripeEventWhereInput,
  { limit, cursor }: { limit: number; cursor?: string | undefined },
): Promise<Page<LedgerRow>> {
  const position = cursor === undefined ? {} : rowsBefore(decodeCursor(timeAndIdKey, cursor));
  const rows = await database.stripeEvent.findMany({
    where: { ...filter, ...position },
    orderBy: [{ processedAt: 'desc' }, { eventId: 'desc' }],
    take: limit + 1,
    omit: { payload: true },
  });
  return toPage(rows, limit, (row) => [row.processedAt.getTime(), row.eventId]);
}

/** Rows after the cursor's; the first condition is what the index can use. */
function rowsBefore([at, eventId]: [number, string]) {
  const processedAt = new Date(at);
  const isBefore = [{ processedAt: { lt: processedAt } }, { processedAt, eventId: { lt: eventId } }];
  return { processedAt: { lte: processedAt }, OR: isBefore };
}

/** A ledger row with the event itself: what a replay applies again. The payload is null once it is no longer kept. */
export type StoredEvent = StripeEvent;

export async function getLedgerEvent(database: Database, eventId: string): Promise<StoredEvent | null> {
  const row = await database.stripeEvent.findUnique({ where: { eventId } });
  return row === null ? null : ((await withPayloads(database, [row]))[0] ?? null);
}

export type LedgerWindow = {
  objectId: string | null;
  from: Date | null;
  to: Date | null;
  /** Where the page before ended. */
  after: { created: Date; eventId: string } | null;
  limit: number;
};

/** Events of one object, or created in a window of time, oldest first. */
export async function findLedgerEvents(database: Database, window: LedgerWindow): Promise<StoredEvent[]> {
  const { objectId, from, to, after, limit } = window;
  const created = { gte: given(from ?? undefined), lt: given(to ?? undefined) };
  const position =
    after === null
      ? {}
      : {
          OR: [
            { created: { gt: after.created } },
            { created: after.created, eventId: { gt: after.eventId } },
          ],
        };
  const rows = await database.stripeEvent.findMany({
    where: { AND: [objectId === null ? {} : { objectId }, { created }, position] },
    orderBy: [{ created: 'asc' }, { eventId: 'asc' }],
    take: limit,
  });
  return withPayloads(database, rows);
}

/** The rows with their payloads, each from the partition that its moment leads to. */
async function withPayloads(database: Database, rows: readonly StripeEvent[]): Promise<StoredEvent[]> {
  const ids = rows.map((row) => row.eventId);
  const kept = await database.$queryRaw<Pick<StoredEvent, 'eventId' | 'payload'>[]>`
    SELECT e.event_id AS "eventId", ${payloadOf('e')} AS payload FROM public.stripe_events e
    WHERE e.event_id = ANY(${ids}::text[])`;
  const payloads = new Map(kept.map(({ eventId, payload }) => [eventId, payload]));
  return rows.map((row) => ({ ...row, payload: payloads.get(row.eventId) ?? null }));
}

/** Which of these events the ledger has, whatever became of them. */
export async function findRecorded(
  database: Database,
  eventIds: readonly string[],
): Promise<ReadonlySet<string>> {
  const rows = await database.$queryRaw<{ event_id: string }[]>`
    SELECT event_id FROM public.stripe_events WHERE event_id = ANY(${[...eventIds]}::text[])`;
  return new Set(rows.map((row) => row.event_id));
}

export async function isLedgerEmpty(database: Database): Promise<boolean> {
  return (await database.stripeEvent.findFirst({ select: { eventId: true } })) === null;
}

/** Rows of one statement: short enough never to hold up a worker that writes the ledger. */
const deletedAtOnce = 2_000;

/**
 * Deletes rows of the ledger that are final since before `before`, a few thousand at a time; returns how many, and
 * whether there may be more. What an operator has to look at (`quarantined`, `failed`) stays whatever its age.
 */
export async function deleteFinishedEvents(
  database: Database,
  { before }: { before: Date },
): Promise<{ deleted: number; hasMore: boolean }> {
  const deleted = await database.$executeRaw`
    WITH old AS MATERIALIZED (
      SELECT event_id FROM public.stripe_events
      WHERE status IN ('applied', 'stale', 'ignored') AND processed_at < ${before}
      ORDER BY processed_at LIMIT ${deletedAtOnce} FOR UPDATE SKIP LOCKED
    )
    DELETE FROM public.stripe_events WHERE event_id = ANY(ARRAY(SELECT event_id FROM old))`;
  return { deleted, hasMore: deleted === deletedAtOnce };
}
