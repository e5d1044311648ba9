import { soldAs } from '../catalog/sold-as.ts';
import { ownedRows } from '../customers/owned-rows.ts';
import { ownerSourceSql } from '../customers/owner-source.ts';
import { isLive } from '../customers/user-customer.ts';
import { Prisma } from '../generated/client.ts';

/**
 * Since when the subscription `s` exists, by which the oldest is told: Stripe's `created`, which nobody can choose. A
 * `start_date` may be set back; older versions of the service stored that alone, or neither.
 */
export const subscribedAt = Prisma.sql`coalesce(s.stripe_created_at, s.start_date, s.created_at)`;

/** What is the user's only by a buyer's hint is no duplicate. */
const live = (users: Prisma.Sql): Prisma.Sql => Prisma.sql`
  SELECT users.id AS user_ref, users.project_id, s.id, ${subscribedAt} AS since
  FROM ${users} CROSS JOIN LATERAL ${ownedRows('subscriptions')} s
  WHERE ${isLive} AND ${ownerSourceSql('s')} <> 'buyer_hint'`;

/** Items of the user's project, and those that nobody sells. */
const sold = Prisma.sql`
  SELECT l.user_ref, l.id, l.since, i.stripe_price_id, products.plan_group
  FROM live l JOIN public.subscription_items i ON i.subscription_id = l.id ${soldAs}
  WHERE products.project_id IS NULL OR products.project_id = l.project_id`;

/**
 * The live subscriptions of `users` (rows with `id`, `user_id` and `project_id`) that share a price or a group of plans with another one
 * of their user: what, and in `duplicate_of` the oldest of those that are older; null: it is the oldest itself. The one rule of
 * what is a duplicate.
 */
export const alikeSubscriptions = (users: Prisma.Sql): Prisma.Sql => Prisma.sql`
  WITH live AS MATERIALIZED (${live(users)}), sold AS MATERIALIZED (${sold})
  SELECT ours.user_ref, ours.id, ours.since,
    min(CASE WHEN ours.plan_group = theirs.plan_group THEN ours.plan_group END) AS plan_group,
    min(CASE WHEN ours.stripe_price_id = theirs.stripe_price_id THEN ours.stripe_price_id END) AS stripe_price_id,
    (array_agg(theirs.id ORDER BY theirs.since, theirs.id)
      FILTER (WHERE (theirs.since, theirs.id) < (ours.since, ours.id)))[1] AS duplicate_of
  FROM sold ours JOIN sold theirs ON theirs.user_ref = ours.user_ref AND theirs.id <> ours.id
    AND (theirs.stripe_price_id = ours.stripe_price_id OR theirs.plan_group = ours.plan_group)
  GROUP BY ours.user_ref, ours.id, ours.since`;
