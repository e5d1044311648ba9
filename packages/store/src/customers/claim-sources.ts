import { invalidateBumped } from '../change-user.ts';
import type { RecheckedTable } from '../claim-due.ts';
import type { Database } from '../create-database.ts';
import { payloadOf } from '../event-payloads/payload-sql.ts';
import { Prisma } from '../generated/client.ts';
import { markBumped } from '../webhooks/mark-users.ts';
import { quarantinesHints } from './owner-source.ts';

/** Where a pass over the tables stands. */
export type PagePosition = { after: string };

export type MarkedPage = { isLast: boolean; after: string; changed: number };

/** Short statements, which hold up no worker. */
const rowsAtOnce = 1_000;

type PageRow = { last: string | null; seen: number; changed: number };

const toPage = ([row]: readonly PageRow[], after: string): MarkedPage => ({
  isLast: (row?.seen ?? 0) < rowsAtOnce,
  after: row?.last ?? after,
  changed: row?.changed ?? 0,
});

/** Whether there is a claim whose source is not known: stored by a version that kept none. */
export async function hasClaimsWithoutSource(database: Database): Promise<boolean> {
  const [row] = await database.$queryRaw<{ exists: boolean }[]>`
    SELECT EXISTS (SELECT FROM public.subscriptions WHERE claimed_user_id IS NOT NULL AND claimed_user_source IS NULL)
      OR EXISTS (SELECT FROM public.purchases WHERE claimed_user_id IS NOT NULL AND claimed_user_source IS NULL) AS exists`;
  return row?.exists === true;
}

/**
 * Takes a page of the ledger: a claim is `metadata` where an event of the object, or of its session, names the same user in
 * its metadata. A new row version: whoever read the row before decides again. Where the project accepts no hints, the users'
 * versions grow: what they have counts from now on.
 */
export async function markMetadataClaims(database: Database, { after }: PagePosition): Promise<MarkedPage> {
  const rows = await database.$queryRaw<PageRow[]>`
    WITH page AS MATERIALIZED (
      SELECT event_id, ${payloadOf('e')} #> '{data,object}' AS object FROM public.stripe_events e
      WHERE event_id > ${after} ORDER BY event_id LIMIT ${rowsAtOnce}),
    named AS MATERIALIZED (
      SELECT DISTINCT object #>> '{metadata,user_id}' AS user_id, unnest(ARRAY[
        object ->> 'id', coalesce(object #>> '{subscription,id}', object ->> 'subscription'),
        coalesce(object #>> '{payment_intent,id}', object ->> 'payment_intent')]) AS object_id
      FROM page WHERE object #>> '{metadata,user_id}' IS NOT NULL),
    marked_subscriptions AS (
      UPDATE public.subscriptions s SET claimed_user_source = 'metadata', fence = s.fence + 1
      FROM named WHERE s.id = named.object_id AND s.claimed_user_id = named.user_id AND s.claimed_user_source IS NULL
      RETURNING s.id, s.user_ref),
    marked_purchases AS (
      UPDATE public.purchases p SET claimed_user_source = 'metadata', fence = p.fence + 1
      FROM named WHERE p.id = named.object_id AND p.claimed_user_id = named.user_id AND p.claimed_user_source IS NULL
      RETURNING p.id, p.user_ref),
    marked AS (SELECT * FROM marked_subscriptions UNION ALL SELECT * FROM marked_purchases),
    bumped AS (
      UPDATE public.users u SET version = u.version + 1 FROM public.projects j
      WHERE u.project_id = j.id AND ${quarantinesHints('j')} AND u.id IN (
        SELECT user_ref FROM marked
        UNION SELECT o.user_ref FROM public.object_owners o JOIN marked ON marked.id = o.object_id)
      RETURNING u.project_id, u.user_id, u.version),
    marked_users AS (${markBumped(null)}),
    invalidated AS (${invalidateBumped})
    SELECT (SELECT max(event_id) FROM page) AS last, (SELECT count(*) FROM page)::float8 AS seen,
      (SELECT count(*) FROM marked)::float8 AS changed`;
  return toPage(rows, after);
}

/** After all of the ledger: takes a page of a table's objects, whose claims without a source are hints. */
const markHinted =
  (table: RecheckedTable) =>
  async (database: Database, { after }: PagePosition): Promise<MarkedPage> => {
    const objects = Prisma.raw(`public.${table}`);
    const rows = await database.$queryRaw<PageRow[]>`
    WITH page AS MATERIALIZED (SELECT id FROM ${objects} WHERE id > ${after} ORDER BY id LIMIT ${rowsAtOnce}),
    marked AS (
      UPDATE ${objects} SET claimed_user_source = 'buyer_hint', fence = fence + 1
      WHERE id = ANY(ARRAY(SELECT id FROM page)) AND claimed_user_id IS NOT NULL AND claimed_user_source IS NULL
      RETURNING id)
    SELECT (SELECT max(id) FROM page) AS last, (SELECT count(*) FROM page)::float8 AS seen,
      (SELECT count(*) FROM marked)::float8 AS changed`;
    return toPage(rows, after);
  };

export const markHintedSubscriptions = markHinted('subscriptions');
export const markHintedPurchases = markHinted('purchases');
