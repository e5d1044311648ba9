import { disputeGravity, subscriptionBookkeeping } from '@billing/domain';
import { soldAs } from './catalog/sold-as.ts';
import { ownedRows } from './customers/owned-rows.ts';
import { ownerSourceSql, quarantinesHints } from './customers/owner-source.ts';
import { subscriptionTable } from './events/tables.ts';
import { Prisma } from './generated/client.ts';
import { alikeSubscriptions } from './subscriptions/alike-subscriptions.ts';

/** Confirmed only with the payments of its invoices that were taken back. */
const subscriptionFields = Prisma.raw(
  subscriptionTable.jsonFields('s', [...subscriptionBookkeeping, 'confirmed']),
);

const gravestFirst = [...disputeGravity].reverse();

/**
 * In place of an item that another project sells, which is not the project's to see, there is NULL; one that nobody sells is
 * to be seen.
 */
const isForeign = Prisma.sql`products.project_id <> users.project_id`;
/** What the product sells; most have no settings, and these are long. */
const soldFeatures = Prisma.sql`'productId', products.product_id, 'group', products.plan_group,
              'featureCodes', products.feature_codes,
              'features', CASE WHEN products.features <> '{}' THEN products.features END`;

/** Of a purchase `p` that is keyed by its invoice: the payments of that invoice that were taken back. */
const paymentsOfInvoice = Prisma.sql`
          SELECT sum(x.amount_refunded) AS amount_refunded, bool_and(x.confirmed) AS confirmed,
            (array_agg(x.dispute_status ORDER BY array_position(${gravestFirst}::text[], x.dispute_status),
              x.dispute_status))[1] AS dispute_status,
            array_agg(x.snapshot_event_id) AS event_ids
          FROM public.purchases x
          WHERE x.invoice_id = p.id AND (x.amount_refunded > 0 OR x.dispute_status IS NOT NULL)
          HAVING count(*) > 0`;

/** What only an explanation shows: the source of the owner, and the last event of `event_ids`. */
function explained(alias: 's' | 'p'): { fields: Prisma.Sql; joined: Prisma.Sql } {
  const object = Prisma.raw(alias);
  return {
    fields: Prisma.sql`'ownerSource', ${ownerSourceSql(alias)}, 'lastEvent', e.event,`,
    // One by one by their ids: a plan of a condition with OR, or of a join, made on a small ledger would scan a large one.
    joined: Prisma.sql`
        LEFT JOIN LATERAL (
          SELECT json_build_object('event_id', one.event_id, 'type', one.type,
            'created', (extract(epoch FROM one.created) * 1000)::bigint) AS event
          FROM unnest(paid.event_ids || ${object}.snapshot_event_id) AS known (event_id)
            CROSS JOIN LATERAL (
              SELECT * FROM public.stripe_events e WHERE e.event_id = known.event_id OFFSET 0) one
          ORDER BY one.created DESC, one.event_id DESC LIMIT 1
        ) e ON true`,
  };
}

/** Of each subscription that is a duplicate, the oldest like it. */
const duplicates = Prisma.sql`
      CASE WHEN users.id IS NOT NULL THEN (
        SELECT json_object_agg(alike.id, alike.duplicate_of)
        FROM (${alikeSubscriptions(Prisma.sql`(SELECT users.id, users.user_id, users.project_id) users`)}) alike
        WHERE alike.duplicate_of IS NOT NULL) END AS duplicates,`;

const explainedSubscription = explained('s');
const explainedPurchase = explained('p');
/** The source of the owner where access depends on it; nearly all checks do not look it up. */
const notExplained = (alias: 's' | 'p'): typeof explainedPurchase => ({
  fields: Prisma.sql`'ownerSource', CASE WHEN ${quarantinesHints('users')} THEN ${ownerSourceSql(alias)} END, 'lastEvent', NULL,`,
  joined: Prisma.sql``,
});
const plainSubscription = notExplained('s');
const plainPurchase = notExplained('p');

/** One user by a value, which Postgres plans and runs with less than a list. */
const askedUsers = (userIds: readonly string[]): Prisma.Sql =>
  userIds.length === 1
    ? Prisma.sql`(SELECT ${userIds[0]}::text COLLATE "C" AS user_id)`
    : Prisma.sql`(SELECT DISTINCT unnest(${[...userIds]}::text[]) COLLATE "C" AS user_id)`;

export type AskedSources = {
  projectId: string;
  userIds: readonly string[];
  isExplained: boolean;
};

/** The statement that reads the sources of users: one row with one JSON value. */
export function sourcesStatement({ projectId, userIds, isExplained }: AskedSources): Prisma.Sql {
  const ofSubscription = isExplained ? explainedSubscription : plainSubscription;
  const ofPurchase = isExplained ? explainedPurchase : plainPurchase;
  return Prisma.sql`
    WITH asked AS (
      SELECT p.id AS project_id, p.version AS project_version, p.policy, given.user_id, u.id, u.version
      FROM public.projects p
        CROSS JOIN ${askedUsers(userIds)} given
        LEFT JOIN public.users u ON u.project_id = p.id AND u.user_id = given.user_id
      WHERE p.id = ${projectId}
    )
    SELECT json_build_object(
      'features', (SELECT json_object_agg(feature_code,
          json_strip_nulls(json_build_object('kind', kind, 'counted', counted, 'thresholds', thresholds,
            'stripe_meter', stripe_meter)))
        FROM public.features WHERE project_id = ${projectId} AND kind <> 'boolean'),
      'defaults', (SELECT json_agg(json_build_object('productId', product_id, 'group', plan_group,
          'featureCodes', feature_codes, 'features', features) ORDER BY product_id)
        FROM public.products WHERE project_id = ${projectId} AND is_default),
      'users', coalesce(json_agg(one), '[]')) FROM (SELECT
      users.user_id, users.id AS user_ref, users.version AS user_version, users.project_version, users.policy,
      ${isExplained ? duplicates : Prisma.empty}
      CASE WHEN users.id IS NOT NULL THEN (
        SELECT json_agg(json_build_object(
          ${subscriptionFields}, ${ofSubscription.fields}
          'reversedPayments', coalesce(paid.payments, '[]'::json),
          'confirmed', s.confirmed AND coalesce(paid.confirmed, true),
          'items', coalesce((
            SELECT json_agg(CASE WHEN ${isForeign} THEN NULL ELSE json_build_object(
              'itemId', i.item_id, 'stripePriceId', i.stripe_price_id, 'quantity', i.quantity,
              'currentPeriodStart', (extract(epoch FROM i.current_period_start) * 1000)::bigint,
              'currentPeriodEnd', (extract(epoch FROM i.current_period_end) * 1000)::bigint,
              'firstPeriodStart', (extract(epoch FROM i.first_period_start) * 1000)::bigint,
              ${soldFeatures}) END ORDER BY i.item_id)
            FROM public.subscription_items i ${soldAs}
            WHERE i.subscription_id = s.id), '[]'::json)
        ) ORDER BY s.id)
        FROM ${ownedRows('subscriptions')} s
        LEFT JOIN LATERAL (
          SELECT
            json_agg(json_build_object('invoiceId', x.invoice_id, 'amount', x.record #> '{invoice,total}',
              'amountRefunded', x.amount_refunded, 'disputeStatus', x.dispute_status,
              'covers', x.record #> '{invoice,covers}') ORDER BY x.id) AS payments,
            bool_and(x.confirmed) AS confirmed, array_agg(x.snapshot_event_id) AS event_ids
          FROM public.purchases x
          WHERE x.subscription_id = s.id AND x.invoice_id IS NOT NULL
            AND (x.amount_refunded > 0 OR x.dispute_status IS NOT NULL)
          HAVING count(*) > 0
        ) paid ON true ${ofSubscription.joined}) END AS subscriptions,
      CASE WHEN users.id IS NOT NULL THEN (
        SELECT json_agg(json_build_object(
          'id', p.id, ${ofPurchase.fields} 'status', p.status, 'paidAt', (extract(epoch FROM p.paid_at) * 1000)::bigint,
          'payment', json_build_object('amount', p.amount,
            'amountRefunded', p.amount_refunded + coalesce(paid.amount_refunded, 0),
            'disputeStatus', coalesce(p.dispute_status, paid.dispute_status)),
          'confirmed', p.confirmed AND coalesce(paid.confirmed, true),
          'items', coalesce((
            SELECT json_agg(CASE WHEN ${isForeign} THEN NULL ELSE json_build_object(
              'stripePriceId', i.stripe_price_id, 'quantity', i.quantity,
              'accessDays', CASE WHEN prices.price_id IS NULL THEN products.access_days ELSE prices.access_days END,
              ${soldFeatures}) END ORDER BY i.stripe_price_id)
            FROM public.purchase_items i ${soldAs}
            WHERE i.purchase_id = p.id), '[]'::json)
        ) ORDER BY p.id)
        FROM ${ownedRows('purchases')} p
        LEFT JOIN LATERAL (${paymentsOfInvoice}) paid ON true ${ofPurchase.joined}
        WHERE p.invoice_id IS NULL AND (p.session_id IS NOT NULL OR p.status <> 'pending')
          -- An invoice that only records another purchase sells nothing by itself. OFFSET 0: looked up, never joined.
          AND NOT EXISTS (SELECT FROM public.purchases x WHERE x.receipt_invoice_id = p.id OFFSET 0)) END AS purchases,
      CASE WHEN users.id IS NOT NULL THEN (
        SELECT json_agg(json_build_object(
          'id', g.id, 'featureCode', g.feature_code, 'amount', g.amount, 'isUnlimited', g.is_unlimited,
          'validFrom', (extract(epoch FROM g.valid_from) * 1000)::bigint,
          'validTo', (extract(epoch FROM g.valid_to) * 1000)::bigint,
          'revokedAt', (extract(epoch FROM g.revoked_at) * 1000)::bigint) ORDER BY g.id)
        FROM public.grants g WHERE g.user_ref = users.id) END AS grants
    FROM asked users) one`;
}
