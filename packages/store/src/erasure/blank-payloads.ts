import { namedUsers } from '@billing/domain';
import type { UserKey } from '../change-user.ts';
import type { Database } from '../create-database.ts';
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
        payload <> '{}' AND (coalesce(object_id = ANY(${[...objectIds]}::text[]), false)
          OR coalesce(customer_id = ANY(${[...customerIds]}::text[]), false)) AS is_own,
        strpos(payload::text, ${jsonString(userId)}) > 0 AS is_named
      FROM public.stripe_events WHERE event_id > ${after} ORDER BY event_id LIMIT ${eventsAtOnce}) one
    ORDER BY event_id`;
  const eventIds = page
    .filter((row) => row.isFound && (row.isOwn || means(search, row)))
    .map((row) => row.eventId);
  const changed =
    eventIds.length === 0
      ? 0
      : await database.$executeRaw`
    UPDATE public.stripe_events SET payload = '{}', awaits = NULL,
      reason = CASE WHEN status IN ('quarantined', 'failed') THEN 'erased' ELSE reason END,
      status = CASE WHEN status IN ('quarantined', 'failed') THEN 'ignored' ELSE status END
    WHERE event_id = ANY(${eventIds}::text[])`;
  return { isLast: page.length < eventsAtOnce, after: page.at(-1)?.eventId ?? after, changed };
}
