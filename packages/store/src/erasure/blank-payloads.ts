import { dayMs, namedUsers } from '@billing/domain';
import type { UserKey } from '../change-user.ts';
import type { Database, Queries } from '../create-database.ts';
import { erasePayloads } from '../event-payloads/erase-payloads.ts';
import { payloadOf } from '../event-payloads/payload-sql.ts';
import { jsonString } from './find-naming.ts';
import type { SearchedPage } from './find-naming.ts';

export type PayloadSearch = UserKey & {
  /** Stripe's ids of what was the user's alone: nothing of its events stays. */
  objectIds: readonly string[];
  customerIds: readonly string[];
  after: string;
};

type Row = { eventId: string; projectId: string | null; isOwn: boolean; payload: unknown };

const eventsAtOnce = 2_000;

/** Whether an event means the user, and not one of the same id in another project. */
function means({ projectId, userId }: UserKey, row: Row): boolean {
  return namedUsers(row.payload).some((named) => {
    if (named.userId !== userId) return false;
    return (named.projectId ?? row.projectId ?? projectId) === projectId;
  });
}

/**
 * Looks through a page of the ledger and empties the payloads of events that name the user, or are about what was the user's
 * alone. What waited for an operator waits no more.
 */
export async function blankPayloads(
  database: Database,
  search: PayloadSearch,
): Promise<SearchedPage & { changed: number }> {
  const { userId, objectIds, customerIds, after } = search;
  const page = await database.$queryRaw<(Row & { isFound: boolean })[]>`
    SELECT one.event_id AS "eventId", project_id AS "projectId", is_own AS "isOwn", is_own OR is_named AS "isFound",
      CASE WHEN is_own OR is_named THEN payload END AS payload
    FROM (
      SELECT event_id, project_id, payload,
        is_kept AND (coalesce(object_id = ANY(${[...objectIds]}::text[]), false)
          OR coalesce(customer_id = ANY(${[...customerIds]}::text[]), false)) AS is_own,
        coalesce(strpos(payload::text, ${jsonString(userId)}) > 0, false) AS is_named
      FROM (
        SELECT e.event_id, e.project_id, e.object_id, e.customer_id, kept.payload,
          kept.payload IS NOT NULL OR e.status IN ('quarantined', 'failed') AS is_kept
        FROM public.stripe_events e, LATERAL (SELECT ${payloadOf('e')} AS payload) kept
        WHERE e.event_id > ${after} ORDER BY e.event_id LIMIT ${eventsAtOnce}) row) one
    ORDER BY event_id`;
  const eventIds = page
    .filter((row) => row.isFound && (row.isOwn || means(search, row)))
    .map((row) => row.eventId);
  if (eventIds.length > 0) await database.$transaction((tx) => blank(tx, eventIds));
  return {
    isLast: page.length < eventsAtOnce,
    after: page.at(-1)?.eventId ?? after,
    changed: eventIds.length,
  };
}

async function blank(tx: Queries, eventIds: readonly string[]): Promise<void> {
  await erasePayloads(tx, eventIds);
  await tx.$executeRaw`
    UPDATE public.stripe_events SET awaits = NULL,
      reason = CASE WHEN status IN ('quarantined', 'failed') THEN 'erased' ELSE reason END,
      status = CASE WHEN status IN ('quarantined', 'failed') THEN 'ignored' ELSE status END
    WHERE event_id = ANY(${[...eventIds]}::text[])`;
}

/** Rows leave the ledger no earlier; the payloads of those that left stay until their month is dropped. */
const keptAtLeastMs = 31 * dayMs;

/** The same of payloads whose rows have left the ledger: looks through a page of them, and deletes those that are found. */
export async function deleteLeftPayloads(
  database: Database,
  search: PayloadSearch,
): Promise<SearchedPage & { changed: number }> {
  const { userId, objectIds, customerIds, after } = search;
  const page = await database.$queryRaw<Omit<Row, 'projectId'>[]>`
    SELECT event_id AS "eventId", is_own AS "isOwn", CASE WHEN is_named THEN payload END AS payload FROM (
      SELECT event_id, payload, strpos(payload::text, ${jsonString(userId)}) > 0 AS is_named,
        coalesce(payload #>> '{data,object,id}' = ANY(${[...objectIds]}::text[]), false)
          OR coalesce(payload #>> '{data,object,customer}' = ANY(${[...customerIds]}::text[]), false) AS is_own
      FROM public.stripe_event_payloads
      WHERE event_id > ${after} AND received_at < ${new Date(Date.now() - keptAtLeastMs)}
      ORDER BY event_id LIMIT ${eventsAtOnce}) one
    ORDER BY event_id`;
  const eventIds = page
    .filter((row) => row.isOwn || means(search, { ...row, projectId: null }))
    .map(({ eventId }) => eventId);
  const changed = await database.$executeRaw`
    DELETE FROM public.stripe_event_payloads kept WHERE event_id = ANY(${eventIds}::text[])
      AND NOT EXISTS (SELECT FROM public.stripe_events e
        WHERE e.event_id = kept.event_id AND e.received_at = kept.received_at)`;
  return { isLast: page.length < eventsAtOnce, after: page.at(-1)?.eventId ?? after, changed };
}
