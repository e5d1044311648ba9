import type { TableSql } from './define-table.ts';
import type { StateShape } from './lookup-sql.ts';
import { purchaseItemTable, purchaseTable, subscriptionItemTable, subscriptionTable } from './tables.ts';

const objectsOf = ({ name, select }: TableSql): string => `(
        SELECT coalesce(json_agg(one), '[]') FROM (
          SELECT "row", user_ref AS "userRef" FROM stored_${name}, LATERAL (SELECT ${select}) "row") one)`;

/** By the object that has them, in the order of their own ids. */
const itemsOf = ({ name, select, primaryKey: [objectId, itemId] }: TableSql): string => `(
        SELECT coalesce(json_object_agg(object_id, items), '{}') FROM (
          SELECT ${objectId} AS object_id, json_agg(item ORDER BY ${itemId}) AS items
          FROM stored_${name}, LATERAL (SELECT ${select}) item GROUP BY ${objectId}) one)`;

const listOf = (fields: Readonly<Record<string, string>>, from: string, order = ''): string => {
  const pairs = Object.entries(fields).map(([field, column]) => `'${field}', ${column}`);
  return `(SELECT coalesce(json_agg(json_build_object(${pairs.join(', ')})${order}), '[]') FROM ${from})`;
};

/** One look into the index for each project: few have erased users, and most installations none. */
const erasedProjectsSql = `
        WITH RECURSIVE found AS (
          (SELECT project_id FROM public.erased_users ORDER BY project_id LIMIT 1)
          UNION ALL
          SELECT (SELECT e.project_id FROM public.erased_users e WHERE e.project_id > found.project_id
            ORDER BY e.project_id LIMIT 1)
          FROM found WHERE found.project_id IS NOT NULL)
        SELECT project_id FROM found WHERE project_id IS NOT NULL`;

/** Everything that was found, as one JSON object; a field that is absent has nothing. */
export function answerOf({ hasSubscriptions, hasPurchases, hasRelated }: StateShape): string {
  const fields: Record<string, string | false> = {
    ledger: listOf({ eventId: 'event_id', status: 'status' }, 'known_events'),
    subscriptions: hasSubscriptions && objectsOf(subscriptionTable),
    subscriptionItems: hasSubscriptions && itemsOf(subscriptionItemTable),
    purchases: hasPurchases && objectsOf(purchaseTable),
    purchaseItems: hasPurchases && itemsOf(purchaseItemTable),
    customers: listOf(
      { customerId: 'stripe_customer_id', userRef: 'user_ref', isDeleted: 'deleted_at IS NOT NULL' },
      'stored_customers',
    ),
    furtherMappings: listOf(
      { customerId: 'stripe_customer_id', userRef: 'user_ref' },
      'further_mappings',
      ' ORDER BY project_id',
    ),
    otherOwners:
      (hasSubscriptions || hasPurchases) &&
      listOf(
        { objectId: 'object_id', userRef: 'user_ref', source: 'source' },
        'other_owners',
        ' ORDER BY project_id',
      ),
    holders:
      hasRelated &&
      listOf({ objectId: 'object_id', userRef: 'user_ref' }, 'object_holders', ' ORDER BY user_ref'),
    receipts: hasPurchases && `(SELECT coalesce(json_agg(receipt_invoice_id), '[]') FROM stored_receipts)`,
    erasedObjects: listOf(
      {
        objectId: 'object_id',
        projectId: 'project_id',
        at: `(date_part('epoch', erased_at) * 1000)::bigint`,
      },
      'named_erased',
    ),
    erasureMark: '(SELECT sequence FROM public.erasure_mark)',
    erasedProjects: `(SELECT coalesce(json_agg(project_id), '[]') FROM (${erasedProjectsSql}) one)`,
    prices: listOf(
      {
        projectId: 'project_id',
        priceId: 'price_id',
        stripePriceId: 'stripe_price_id',
        isRecurring: `interval <> 'one_time'`,
        amount: 'amount',
        currency: 'currency',
      },
      'named_prices',
    ),
    stripeProducts: listOf(
      { projectId: 'project_id', stripeProductId: 'stripe_product_id' },
      'named_products',
    ),
    projects: listOf({ id: 'id', quarantinesHints: 'quarantines_hints' }, 'stored_projects'),
    users: listOf(
      { ref: 'id', projectId: 'project_id', userId: 'user_id', version: 'version' },
      'owners_and_claimed_users',
    ),
  };
  const pairs = Object.entries(fields).flatMap(([field, sql]) =>
    sql === false ? [] : [`'${field}', ${sql}`],
  );
  return `json_build_object(${pairs.join(',\n      ')})`;
}
