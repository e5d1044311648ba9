import type { Instant } from '@billing/domain';
import { z } from 'zod';
import { soldAs } from '../catalog/sold-as.ts';
import type { Database } from '../create-database.ts';
import { otherObjects, ownerSourceSql } from '../customers/owner-source.ts';
import { isLive } from '../customers/user-customer.ts';
import { Prisma } from '../generated/client.ts';
import { decodeCursor, toPage } from '../page.ts';
import type { Page, PageRequest } from '../page.ts';

/** A live subscription of a user that shares a price or a group with another one of the user. */
export type Duplicate = {
  projectId: string;
  userId: string;
  userRef: string;
  subscriptionId: string;
  stripeCustomerId: string | null;
  status: string;
  group: string | null;
  stripePriceId: string | null;
  /** The oldest of them; null: it is that one itself. */
  duplicateOf: string | null;
  created: Instant;
};

/** Users with several live subscriptions, of which there are few: all else is read for these only. */
const several = (ofProject: Prisma.Sql): Prisma.Sql => Prisma.sql`
  SELECT users.* FROM (
    SELECT s.user_ref, s.id FROM public.subscriptions s WHERE s.user_ref IS NOT NULL AND ${isLive}
    UNION
    SELECT o.user_ref, s.id FROM public.object_owners o JOIN public.subscriptions s ON s.id = o.object_id
    WHERE ${isLive}) owned
  JOIN public.users ON users.id = owned.user_ref AND ${ofProject}
  GROUP BY users.id HAVING count(*) > 1`;

/** What is the user's only by a buyer's hint is no duplicate. */
const held = Prisma.sql`
  SELECT users.project_id, users.user_id, users.id AS user_ref, s.id, s.stripe_customer_id, s.status,
    coalesce(s.stripe_created_at, s.start_date, s.created_at) AS since
  FROM several users JOIN public.subscriptions s ON s.user_ref = users.id OR s.id = ANY(${otherObjects})
  WHERE ${isLive} AND ${ownerSourceSql('s')} <> 'buyer_hint'`;

/** Items of the user's project, and of none that is known. */
const sold = Prisma.sql`
  SELECT h.user_ref, h.id, h.since, i.stripe_price_id, products.plan_group
  FROM held h JOIN public.subscription_items i ON i.subscription_id = h.id ${soldAs}
  WHERE products.project_id IS NULL OR products.project_id = h.project_id`;

/** Of each that shares something: what, and with which older one. */
const shared = Prisma.sql`
  SELECT ours.user_ref, ours.id,
    min(CASE WHEN ours.plan_group = theirs.plan_group THEN ours.plan_group END) AS plan_group,
    min(CASE WHEN ours.stripe_price_id = theirs.stripe_price_id THEN ours.stripe_price_id END) AS stripe_price_id,
    (array_agg(theirs.id ORDER BY theirs.since, theirs.id)
      FILTER (WHERE (theirs.since, theirs.id) < (ours.since, ours.id)))[1] AS duplicate_of
  FROM sold ours JOIN sold theirs ON theirs.user_ref = ours.user_ref AND theirs.id <> ours.id
    AND (theirs.stripe_price_id = ours.stripe_price_id OR theirs.plan_group = ours.plan_group)
  GROUP BY ours.user_ref, ours.id`;

const allShared = (projectId: string | null): Prisma.Sql => {
  const ofProject = projectId === null ? Prisma.sql`true` : Prisma.sql`users.project_id = ${projectId}`;
  return Prisma.sql`several AS MATERIALIZED (${several(ofProject)}),
    held AS MATERIALIZED (${held}), sold AS MATERIALIZED (${sold}), shared AS (${shared})`;
};

const position = z.tuple([z.string().regex(/^\d{1,18}$/), z.number().int().min(0), z.string().max(1_024)]);

/** Live subscriptions that share a price or a group with another one of their user, the oldest of a user first. */
export async function listDuplicates(
  database: Database,
  { limit, cursor, projectId }: PageRequest & { projectId: string | null },
): Promise<Page<Duplicate>> {
  const [userRef, since, id] = cursor === undefined ? ['0', 0, ''] : decodeCursor(position, cursor);
  const rows = await database.$queryJson<Duplicate[]>(Prisma.sql`
    SELECT coalesce(json_agg(one ORDER BY one.ref, one.created, one."subscriptionId"), '[]') FROM (
      WITH ${allShared(projectId)}
      SELECT h.user_ref AS ref, h.project_id AS "projectId", h.user_id AS "userId", h.user_ref::text AS "userRef",
        h.id AS "subscriptionId", h.stripe_customer_id AS "stripeCustomerId", h.status,
        shared.plan_group AS "group", shared.stripe_price_id AS "stripePriceId",
        shared.duplicate_of AS "duplicateOf", (extract(epoch FROM h.since) * 1000)::bigint AS created
      FROM shared JOIN held h ON h.user_ref = shared.user_ref AND h.id = shared.id
      WHERE (h.user_ref, (extract(epoch FROM h.since) * 1000)::bigint, h.id) > (${userRef}::bigint, ${since}::bigint, ${id})
      ORDER BY h.user_ref, h.since, h.id LIMIT ${limit + 1}) one`);
  return toPage(rows, limit, (row) => [row.userRef, row.created, row.subscriptionId]);
}

/** How many there are besides the oldest, in all projects. */
export async function countDuplicates(database: Pick<Database, '$queryJson'>): Promise<number> {
  return database.$queryJson<number>(Prisma.sql`
    SELECT to_json(count(*)) FROM (
      WITH ${allShared(null)} SELECT FROM shared WHERE duplicate_of IS NOT NULL) one`);
}
