import type { Instant } from '@billing/domain';
import { z } from 'zod';
import type { Database } from '../create-database.ts';
import { isLive } from '../customers/user-customer.ts';
import { Prisma } from '../generated/client.ts';
import { decodeCursor, toPage } from '../page.ts';
import type { Page, PageRequest } from '../page.ts';
import { alikeSubscriptions } from '../subscriptions/alike-subscriptions.ts';

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

const allAlike = (projectId: string | null): Prisma.Sql => {
  const ofProject = projectId === null ? Prisma.sql`true` : Prisma.sql`users.project_id = ${projectId}`;
  return Prisma.sql`several AS MATERIALIZED (${several(ofProject)}),
    alike AS (${alikeSubscriptions(Prisma.sql`several users`)})`;
};

const position = z.tuple([z.string().regex(/^\d{1,18}$/), z.number().int().min(0), z.string().max(1_024)]);

const sinceMs = Prisma.sql`(extract(epoch FROM alike.since) * 1000)::bigint`;

/** Live subscriptions that share a price or a group with another one of their user, the oldest of a user first. */
export async function listDuplicates(
  database: Database,
  { limit, cursor, projectId }: PageRequest & { projectId: string | null },
): Promise<Page<Duplicate>> {
  const [userRef, since, id] = cursor === undefined ? ['0', 0, ''] : decodeCursor(position, cursor);
  const rows = await database.$queryJson<Duplicate[]>(Prisma.sql`
    SELECT coalesce(json_agg(one ORDER BY one.ref, one.created, one."subscriptionId"), '[]') FROM (
      WITH ${allAlike(projectId)}
      SELECT users.id AS ref, users.project_id AS "projectId", users.user_id AS "userId", users.id::text AS "userRef",
        s.id AS "subscriptionId", s.stripe_customer_id AS "stripeCustomerId", s.status,
        alike.plan_group AS "group", alike.stripe_price_id AS "stripePriceId",
        alike.duplicate_of AS "duplicateOf", ${sinceMs} AS created
      FROM alike JOIN several users ON users.id = alike.user_ref JOIN public.subscriptions s ON s.id = alike.id
      WHERE (users.id, ${sinceMs}, s.id) > (${userRef}::bigint, ${since}::bigint, ${id})
      ORDER BY users.id, alike.since, s.id LIMIT ${limit + 1}) one`);
  return toPage(rows, limit, (row) => [row.userRef, row.created, row.subscriptionId]);
}

/** How many there are besides the oldest, in all projects. */
export async function countDuplicates(database: Pick<Database, '$queryJson'>): Promise<number> {
  return database.$queryJson<number>(Prisma.sql`
    SELECT to_json(count(*)) FROM (
      WITH ${allAlike(null)} SELECT FROM alike WHERE duplicate_of IS NOT NULL) one`);
}
