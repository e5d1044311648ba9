import { soldAs } from '../catalog/sold-as.ts';
import { ownedRows } from '../customers/owned-rows.ts';
import { ownerSourceSql } from '../customers/owner-source.ts';
import { Prisma } from '../generated/client.ts';
import { alikeSubscriptions, subscribedAt } from './alike-subscriptions.ts';

const msOf = (instant: Prisma.Sql): Prisma.Sql => Prisma.sql`(extract(epoch FROM ${instant}) * 1000)::bigint`;
const toMs = (column: string): Prisma.Sql => msOf(Prisma.raw(column));

/** The subscriptions of the rows `owner`, without those that only a buyer's hint gives them or of which only the id is known. */
const owned = Prisma.sql`
  SELECT s.*, users.id AS owner_ref, users.user_id AS owner_id, ${msOf(subscribedAt)} AS created_ms
  FROM owner users CROSS JOIN LATERAL ${ownedRows('subscriptions')} s
  WHERE s.status IS NOT NULL AND ${ownerSourceSql('s')} <> 'buyer_hint'`;

/** Their items, as a project sells them. Foreign: another project does. */
const sold = (projectId: string): Prisma.Sql => Prisma.sql`
  SELECT i.*, prices.price_id, products.product_id, products.plan_group,
    coalesce(products.project_id <> ${projectId}, false) AS is_foreign
  FROM owned s JOIN public.subscription_items i ON i.subscription_id = s.id ${soldAs}`;

/** A metered item has no quantity at Stripe. */
const ownItems = Prisma.sql`
  SELECT coalesce(json_agg(json_build_object(
    'itemId', i.item_id, 'stripePriceId', i.stripe_price_id, 'priceId', i.price_id, 'productId', i.product_id,
    'group', i.plan_group, 'quantity', CASE WHEN i.usage_type IS DISTINCT FROM 'metered' THEN i.quantity END,
    'currentPeriodStart', ${toMs('i.current_period_start')}, 'currentPeriodEnd', ${toMs('i.current_period_end')})
    ORDER BY i.item_id), '[]')
  FROM sold i WHERE i.subscription_id = h.id AND NOT i.is_foreign`;

const isShared = Prisma.sql`EXISTS (SELECT FROM sold i WHERE i.subscription_id = h.id AND i.is_foreign)`;

/**
 * A price that is not mapped is sold as the item that has it now: a schedule does not name its Stripe product. Whose a new one is, is
 * not known where several projects have items.
 */
const nextChange = (projectId: string): Prisma.Sql => Prisma.sql`
  SELECT json_build_object('effectiveAt', h.schedule #> '{changes,0,effectiveAt}', 'items', coalesce(
    json_agg(json_build_object('stripePriceId', c."stripePriceId", 'quantity', c.quantity, 'priceId', prices.price_id,
      'productId', coalesce(prices.product_id, held.product_id)) ORDER BY c."stripePriceId")
      FILTER (WHERE coalesce(prices.project_id = ${projectId}, NOT held.is_foreign, NOT ${isShared})), '[]'))
  FROM jsonb_to_recordset(h.schedule #> '{changes,0,items}') AS c ("stripePriceId" text, quantity bigint)
  LEFT JOIN public.prices ON prices.stripe_price_id = c."stripePriceId"
  LEFT JOIN LATERAL (SELECT i.product_id, i.is_foreign FROM sold i
    WHERE i.subscription_id = h.id AND i.stripe_price_id = c."stripePriceId" LIMIT 1) held ON true
  HAVING h.schedule #> '{changes,0}' IS NOT NULL`;

const isDuplicate = Prisma.sql`EXISTS (
  SELECT FROM alike WHERE alike.id = h.id AND alike.user_ref = h.owner_ref AND alike.duplicate_of IS NOT NULL)`;

/** Conditions on the rows `owner` of `users` (`u`), and on their subscriptions (`h`). */
export type SubscriptionsAsked = {
  projectId: string;
  ofUsers: Prisma.Sql;
  where: Prisma.Sql;
  limit: number;
};

/** One statement that reads subscriptions of users of a project, newest first: one row with a JSON list. */
export const subscriptionsStatement = ({
  projectId,
  ofUsers,
  where,
  limit,
}: SubscriptionsAsked): Prisma.Sql => Prisma.sql`
  SELECT coalesce(json_agg(one ORDER BY one.created DESC, one."subscriptionId" DESC), '[]') FROM (
    WITH owner AS MATERIALIZED (SELECT u.id, u.user_id, u.project_id FROM public.users u WHERE u.project_id = ${projectId} AND ${ofUsers}),
    owned AS MATERIALIZED (${owned}),
    sold AS MATERIALIZED (${sold(projectId)}),
    alike AS MATERIALIZED (${alikeSubscriptions(Prisma.sql`owner users`)})
    SELECT h.id AS "subscriptionId", h.owner_id AS "userId", h.stripe_customer_id AS "stripeCustomerId", h.status,
      (${ownItems}) AS items, ${isShared} AS "isShared",
      ${toMs('h.cancel_at')} AS "cancelAt", h.cancel_at_period_end AS "cancelAtPeriodEnd",
      ${toMs('h.ended_at')} AS "endedAt", ${toMs('h.trial_end')} AS "trialEnd",
      h.collection_paused AS "collectionPaused", h.pause_behavior AS "pauseBehavior",
      ${toMs('h.pause_resumes_at')} AS "pauseResumesAt", h.schedule ->> 'scheduleId' AS "scheduleId",
      (${nextChange(projectId)}) AS "pendingChange", h.pending_payment AS "pendingPayment",
      ${isDuplicate} AS "isDuplicate", h.confirmed, h.created_ms AS created
    FROM owned h
    WHERE ${where} AND (NOT ${isShared} OR EXISTS (
      SELECT FROM sold i WHERE i.subscription_id = h.id AND NOT i.is_foreign))
    ORDER BY h.created_ms DESC, h.id DESC LIMIT ${limit}) one`;
