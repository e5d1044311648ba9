import { givenBy, keysFrom, lookup, lookupPairs, union } from './lookup-sql.ts';
import type { Keys, Lookup, StateShape } from './lookup-sql.ts';
import { answerOf } from './state-answer-sql.ts';

const userColumns = 'id, project_id, user_id, version';
const priceColumns = 'project_id, price_id, stripe_price_id, interval, amount, currency';

const all = (table: string, by: string): Lookup => ({ table, columns: '*', by });

/** What stored objects have in a column. */
const storedBy =
  ({ hasSubscriptions, hasPurchases }: StateShape) =>
  (column: string): (Keys | false)[] => [
    hasSubscriptions && `SELECT ${column} FROM stored_subscriptions`,
    hasPurchases && `SELECT ${column} FROM stored_purchases`,
  ];

/** The objects that are named, and their items. */
function objectParts(shape: StateShape) {
  const { hasSubscriptions, hasPurchases } = shape;
  const { rows } = givenBy(shape);
  return {
    stored_subscriptions: hasSubscriptions && rows(all('subscriptions', 'id'), 'subscription_ids'),
    stored_purchases: hasPurchases && rows(all('purchases', 'id'), 'purchase_ids'),
    stored_subscription_items:
      hasSubscriptions && rows(all('subscription_items', 'subscription_id'), 'subscription_ids'),
    stored_purchase_items: hasPurchases && rows(all('purchase_items', 'purchase_id'), 'purchase_ids'),
    stored_receipts:
      hasPurchases &&
      rows({ table: 'purchases', columns: 'receipt_invoice_id', by: 'receipt_invoice_id' }, 'purchase_ids'),
  };
}

/** Users whom a payment concerns through other objects. */
function holderParts({ hasPurchases, hasRelated }: StateShape) {
  const named = 'SELECT id FROM named_objects';
  const holdersIn = (table: string): string =>
    `SELECT * FROM (${lookup({ table, columns: 'id AS object_id, user_ref', by: 'id' }, keysFrom(named))}) one WHERE user_ref IS NOT NULL`;
  return {
    named_objects:
      hasRelated &&
      `SELECT key AS id FROM ${keysFrom(
        union(
          'SELECT unnest($related_ids::text[])',
          hasPurchases &&
            'SELECT unnest(ARRAY[subscription_id, invoice_id, receipt_invoice_id]) FROM stored_purchases',
        ),
      )}`,
    object_holders:
      hasRelated &&
      union(
        holdersIn('subscriptions'),
        holdersIn('purchases'),
        lookup({ table: 'object_owners', columns: 'object_id, user_ref', by: 'object_id' }, keysFrom(named)),
      ),
  };
}

/** What was erased of all that is named. */
function erasedParts(shape: StateShape) {
  const { hasSubscriptions, hasPurchases, hasRelated } = shape;
  const { given, found } = givenBy(shape);
  const keys = union(
    hasSubscriptions && given('subscription_ids'),
    hasPurchases && given('purchase_ids'),
    given('customer_ids'),
    ...storedBy(shape)('stripe_customer_id'),
    hasRelated && 'SELECT id FROM named_objects',
  );
  const columns = 'object_id, project_id, erased_at';
  return { named_erased: found({ table: 'erased_objects', columns, by: 'object_id' }, keys) };
}

/** Prices and products that are named, and their projects. */
function catalogParts(shape: StateShape): Record<string, string | false> {
  const { hasSubscriptions, hasPurchases } = shape;
  const { given, found } = givenBy(shape);
  const stored = storedBy(shape);
  const itemPrices = [
    hasSubscriptions && 'SELECT stripe_price_id FROM stored_subscription_items',
    hasPurchases && 'SELECT stripe_price_id FROM stored_purchase_items',
  ];
  const itemProducts = [
    hasSubscriptions && 'SELECT stripe_product_id FROM stored_subscription_items',
    hasPurchases && 'SELECT stripe_product_id FROM stored_purchase_items',
  ];
  const prices = { table: 'prices', columns: priceColumns };
  return {
    named_projects: union(
      'SELECT project_id AS id FROM owners',
      given('project_ids'),
      ...stored('claimed_project_id'),
    ),
    named_prices: union(
      found({ ...prices, by: 'stripe_price_id' }, union(given('price_ids'), ...itemPrices)),
      // Subscriptions name prices by Stripe's ids only.
      (hasPurchases || !hasSubscriptions) &&
        lookupPairs({ ...prices, by: ['project_id', 'price_id'] }, [
          'SELECT id FROM named_projects',
          union(given('price_ids'), hasPurchases && 'SELECT stripe_price_id FROM stored_purchase_items'),
        ]),
    ),
    named_products: found(
      { table: 'products', columns: 'project_id, stripe_product_id', by: 'stripe_product_id' },
      union(given('product_ids'), ...itemProducts),
    ),
    stored_projects: found(
      {
        table: 'projects',
        columns: `id, policy ->> 'accept_buyer_hints' = 'quarantine' AS quarantines_hints`,
        by: 'id',
      },
      'SELECT id FROM named_projects UNION SELECT project_id FROM named_prices UNION SELECT project_id FROM named_products',
    ),
  };
}

/** The rows that the keys lead to: the parts of `WITH`, each of which names earlier ones only. */
function partsOf(shape: StateShape): Record<string, string | false> {
  const { hasSubscriptions, hasPurchases, hasRelated } = shape;
  const { given, rows, found } = givenBy(shape);
  const hasObjects = hasSubscriptions || hasPurchases;
  const stored = storedBy(shape);
  const users = { table: 'users', columns: userColumns };
  return {
    known_events: rows({ table: 'stripe_events', columns: 'event_id, status', by: 'event_id' }, 'event_ids'),
    ...objectParts(shape),
    stored_customers: found(
      {
        table: 'customers',
        columns: 'stripe_customer_id, user_ref, deleted_at',
        by: 'stripe_customer_id',
      },
      union(given('customer_ids'), ...stored('stripe_customer_id')),
    ),
    further_mappings: found(
      {
        table: 'customer_users',
        columns: 'stripe_customer_id, project_id, user_ref',
        by: 'stripe_customer_id',
      },
      'SELECT stripe_customer_id FROM stored_customers',
    ),
    other_owners:
      hasObjects &&
      found(
        { table: 'object_owners', columns: 'object_id, project_id, user_ref, source', by: 'object_id' },
        union(hasSubscriptions && given('subscription_ids'), hasPurchases && given('purchase_ids')),
      ),
    ...holderParts(shape),
    ...erasedParts(shape),
    owners: found(
      { ...users, by: 'id' },
      union(
        'SELECT user_ref FROM stored_customers',
        'SELECT user_ref FROM further_mappings',
        ...stored('user_ref'),
        hasObjects && 'SELECT user_ref FROM other_owners',
        hasRelated && 'SELECT user_ref FROM object_holders',
      ),
    ),
    ...catalogParts(shape),
    owners_and_claimed_users: union(
      `SELECT ${userColumns} FROM owners`,
      lookupPairs({ ...users, by: ['project_id', 'user_id'] }, [
        'SELECT id FROM stored_projects',
        union(given('user_ids'), ...stored('claimed_user_id')),
      ]),
    ),
  };
}

/** What only the answer names is no part of its own, which Postgres would have to store before it reads it. */
const namedOnce = new Set(['known_events', 'stored_receipts', 'named_erased', 'owners_and_claimed_users']);

/** The statement that reads all that the keys of such a shape lead to, in which `$name` stands for keys. */
export function stateSql(shape: StateShape): string {
  const parts = Object.entries(partsOf(shape)).flatMap(([name, sql]) =>
    sql === false ? [] : [`${name} AS ${namedOnce.has(name) ? '' : 'MATERIALIZED '}(${sql})`],
  );
  return `
    WITH ${parts.join(',\n    ')}
    SELECT ${answerOf(shape)}`;
}
