import type { Database } from '../create-database.ts';
import type { Prisma } from '../generated/client.ts';
import { sqlTemplate } from '../sql-template.ts';
import type { TableSql } from './define-table.ts';
import type { EventState, StateKeys } from './event-state.ts';
import { purchaseItemTable, purchaseTable, subscriptionItemTable, subscriptionTable } from './tables.ts';
import { toEventState } from './to-event-state.ts';
import type { StateRow } from './to-event-state.ts';

const objectsOf = ({ name, select }: TableSql): string => `(
        SELECT coalesce(json_agg(one), '[]') FROM (
          SELECT "row", user_ref AS "userRef" FROM stored_${name}, LATERAL (SELECT ${select}) "row") one)`;

/** By the object that has them, in the order of their own ids. */
const itemsOf = ({ name, select, primaryKey: [objectId, itemId] }: TableSql): string => `(
        SELECT coalesce(json_object_agg(object_id, items), '{}') FROM (
          SELECT ${objectId} AS object_id, json_agg(item ORDER BY ${itemId}) AS items
          FROM stored_${name}, LATERAL (SELECT ${select}) item GROUP BY ${objectId}) one)`;

/** One look into the index for each project: few have erased users, and most installations none. */
const erasedProjectsSql = `
        WITH RECURSIVE found AS (
          (SELECT project_id FROM public.erased_users ORDER BY project_id LIMIT 1)
          UNION ALL
          SELECT (SELECT e.project_id FROM public.erased_users e WHERE e.project_id > found.project_id
            ORDER BY e.project_id LIMIT 1)
          FROM found WHERE found.project_id IS NOT NULL)
        SELECT project_id FROM found WHERE project_id IS NOT NULL`;

const stateJson = `SELECT json_build_object(
      'ledger', (
        SELECT coalesce(json_agg(json_build_object('eventId', event_id, 'status', status)), '[]')
        FROM public.stripe_events WHERE event_id = ANY(ARRAY(SELECT unnest(event_ids) FROM keys))),
      'subscriptions', ${objectsOf(subscriptionTable)},
      'subscriptionItems', ${itemsOf(subscriptionItemTable)},
      'purchases', ${objectsOf(purchaseTable)},
      'purchaseItems', ${itemsOf(purchaseItemTable)},
      'customers', (SELECT coalesce(json_agg(json_build_object('customerId', stripe_customer_id,
        'userRef', user_ref, 'isDeleted', deleted_at IS NOT NULL)), '[]') FROM stored_customers),
      'furtherMappings', (SELECT coalesce(json_agg(json_build_object('customerId', stripe_customer_id,
        'userRef', user_ref) ORDER BY project_id), '[]') FROM further_mappings),
      'otherOwners', (SELECT coalesce(json_agg(json_build_object('objectId', object_id,
        'userRef', user_ref, 'source', source) ORDER BY project_id), '[]') FROM other_owners),
      'holders', (SELECT coalesce(json_agg(json_build_object('objectId', object_id, 'userRef', user_ref)
        ORDER BY user_ref), '[]') FROM object_holders),
      'receipts', (SELECT coalesce(json_agg(receipt_invoice_id), '[]') FROM stored_receipts),
      'erasedObjects', (SELECT coalesce(json_agg(json_build_object('objectId', object_id, 'projectId', project_id,
        'at', (date_part('epoch', erased_at) * 1000)::bigint)), '[]') FROM named_erased),
      'erasureMark', (SELECT sequence FROM public.erasure_mark),
      'erasedProjects', (SELECT coalesce(json_agg(project_id), '[]') FROM (${erasedProjectsSql}) one),
      'prices', (SELECT coalesce(json_agg(json_build_object(
        'projectId', project_id, 'priceId', price_id, 'stripePriceId', stripe_price_id,
        'isRecurring', interval <> 'one_time', 'amount', amount, 'currency', currency)), '[]') FROM named_prices),
      'projects', (SELECT coalesce(json_agg(id), '[]') FROM stored_projects),
      'hintQuarantines', (SELECT coalesce(json_agg(id), '[]') FROM stored_projects WHERE quarantines_hints),
      'users', (SELECT coalesce(json_agg(json_build_object(
        'ref', id, 'projectId', project_id, 'userId', user_id, 'version', version)), '[]')
        FROM owners_and_claimed_users))`;

/** What was erased of all that is named. */
const namedErased = `named_erased AS MATERIALIZED (
      SELECT object_id, project_id, erased_at FROM public.erased_objects
      WHERE object_id = ANY(ARRAY(
        SELECT unnest(subscription_ids) FROM keys UNION SELECT unnest(purchase_ids) FROM keys
        UNION SELECT unnest(customer_ids) FROM keys UNION SELECT stripe_customer_id FROM stored_subscriptions
        UNION SELECT stripe_customer_id FROM stored_purchases UNION SELECT id FROM named_objects))),`;

/**
 * The keys are lists that the planner can't look into: one plan serves every batch, where it would else plan anew for
 * each, which takes longer than the reading. What a batch has nothing of is left out of its plan by a constant.
 */
const stateTemplate = ({ hasPurchases, hasRelated }: { hasPurchases: boolean; hasRelated: boolean }) =>
  sqlTemplate(`
    WITH keys AS MATERIALIZED (
      SELECT $event_ids::text[] AS event_ids, $subscription_ids::text[] AS subscription_ids,
        $purchase_ids::text[] AS purchase_ids, $customer_ids::text[] AS customer_ids,
        $price_ids::text[] AS price_ids, $user_ids::text[] AS user_ids,
        $project_ids::text[] AS project_ids, $related_ids::text[] AS related_ids),
    stored_subscriptions AS MATERIALIZED (
      SELECT * FROM public.subscriptions WHERE id = ANY(ARRAY(SELECT unnest(subscription_ids) FROM keys))),
    stored_purchases AS MATERIALIZED (
      SELECT * FROM public.purchases
      WHERE ${hasPurchases} AND id = ANY(ARRAY(SELECT unnest(purchase_ids) FROM keys))),
    stored_subscription_items AS MATERIALIZED (
      SELECT * FROM public.subscription_items
      WHERE subscription_id = ANY(ARRAY(SELECT id FROM stored_subscriptions))),
    stored_purchase_items AS MATERIALIZED (
      SELECT * FROM public.purchase_items
      WHERE ${hasPurchases} AND purchase_id = ANY(ARRAY(SELECT id FROM stored_purchases))),
    stored_customers AS MATERIALIZED (
      SELECT stripe_customer_id, user_ref, deleted_at FROM public.customers
      WHERE stripe_customer_id = ANY(ARRAY(
        SELECT unnest(customer_ids) FROM keys
        UNION SELECT stripe_customer_id FROM stored_subscriptions
        UNION SELECT stripe_customer_id FROM stored_purchases))),
    further_mappings AS MATERIALIZED (
      SELECT stripe_customer_id, project_id, user_ref FROM public.customer_users WHERE stripe_customer_id = ANY(ARRAY(SELECT stripe_customer_id FROM stored_customers))),
    other_owners AS MATERIALIZED (
      SELECT object_id, project_id, user_ref, source FROM public.object_owners
      WHERE object_id = ANY(ARRAY(
        SELECT unnest(subscription_ids) FROM keys UNION SELECT unnest(purchase_ids) FROM keys))),
    named_objects AS MATERIALIZED (
      SELECT unnest(related_ids) AS id FROM keys UNION SELECT unnest(ARRAY[subscription_id, invoice_id, receipt_invoice_id]) FROM stored_purchases),
    stored_receipts AS MATERIALIZED (
      SELECT receipt_invoice_id FROM public.purchases
      WHERE ${hasPurchases} AND receipt_invoice_id = ANY(ARRAY(SELECT unnest(purchase_ids) FROM keys))),
    object_holders AS MATERIALIZED (
      SELECT id AS object_id, user_ref FROM public.subscriptions
      WHERE ${hasRelated} AND user_ref IS NOT NULL AND id = ANY(ARRAY(SELECT id FROM named_objects))
      UNION
      SELECT id, user_ref FROM public.purchases
      WHERE ${hasRelated} AND user_ref IS NOT NULL AND id = ANY(ARRAY(SELECT id FROM named_objects))
      UNION
      SELECT object_id, user_ref FROM public.object_owners
      WHERE ${hasRelated} AND object_id = ANY(ARRAY(SELECT id FROM named_objects))),
    ${namedErased} owners AS MATERIALIZED (
      SELECT id, project_id, user_id, version FROM public.users
      WHERE id = ANY(ARRAY(
        SELECT user_ref FROM stored_customers UNION SELECT user_ref FROM further_mappings
        UNION SELECT user_ref FROM stored_subscriptions UNION SELECT user_ref FROM stored_purchases
        UNION SELECT user_ref FROM other_owners UNION SELECT user_ref FROM object_holders))),
    named_projects AS MATERIALIZED (
      SELECT unnest(project_ids) AS id FROM keys
      UNION SELECT claimed_project_id FROM stored_subscriptions
      UNION SELECT claimed_project_id FROM stored_purchases
      UNION SELECT project_id FROM owners),
    named_prices AS MATERIALIZED (
      SELECT project_id, price_id, stripe_price_id, interval, amount, currency FROM public.prices
      WHERE stripe_price_id = ANY(ARRAY(
        SELECT unnest(price_ids) FROM keys
        UNION SELECT stripe_price_id FROM stored_subscription_items
        UNION SELECT stripe_price_id FROM stored_purchase_items))
      UNION
      SELECT project_id, price_id, stripe_price_id, interval, amount, currency FROM public.prices
      WHERE project_id = ANY(ARRAY(SELECT id FROM named_projects))
        AND price_id = ANY(ARRAY(
          SELECT unnest(price_ids) FROM keys UNION SELECT stripe_price_id FROM stored_purchase_items))),
    stored_projects AS MATERIALIZED (
      SELECT id, policy ->> 'accept_buyer_hints' = 'quarantine' AS quarantines_hints FROM public.projects
      WHERE id = ANY(ARRAY(SELECT id FROM named_projects UNION SELECT project_id FROM named_prices))),
    owners_and_claimed_users AS MATERIALIZED (
      SELECT id, project_id, user_id, version FROM owners
      UNION
      SELECT id, project_id, user_id, version FROM public.users
      WHERE project_id = ANY(ARRAY(SELECT id FROM stored_projects)) AND user_id = ANY(ARRAY(
        SELECT unnest(user_ids) FROM keys
        UNION SELECT claimed_user_id FROM stored_subscriptions
        UNION SELECT claimed_user_id FROM stored_purchases)))
    ${stateJson}`);

const withPurchases = stateTemplate({ hasPurchases: true, hasRelated: true });
const withRelated = stateTemplate({ hasPurchases: false, hasRelated: true });
const withoutBoth = stateTemplate({ hasPurchases: false, hasRelated: false });

function readStatement({ relatedIds = [], ...keys }: StateKeys): Prisma.Sql {
  const withoutPurchases = relatedIds.length > 0 ? withRelated : withoutBoth;
  const template = keys.purchaseIds.length > 0 ? withPurchases : withoutPurchases;
  return template(
    [...keys.eventIds],
    [...keys.subscriptionIds],
    [...keys.purchaseIds],
    [...keys.customerIds],
    [...keys.priceIds],
    [...keys.userIds],
    [...keys.projectIds],
    [...relatedIds],
  );
}

/** Reads, in one statement and so of one moment, all that deciding a batch of events needs. */
export const readEventState = async (
  database: Pick<Database, '$queryJson'>,
  keys: StateKeys,
): Promise<EventState> => toEventState(await database.$queryJson<StateRow>(readStatement(keys)));
