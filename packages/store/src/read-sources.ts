import { disputeGravity, policyOverrides, subscriptionBookkeeping } from '@billing/domain';
import type { PolicyOverrides, Sources } from '@billing/domain';
import type { Database } from './create-database.ts';
import { otherObjects, ownerSourceSql, quarantinesHints } from './customers/owner-source.ts';
import { subscriptionTable } from './events/tables.ts';
import { Prisma } from './generated/client.ts';
import { readAgainIfConnectionLost } from './read-again.ts';

/** All that the entitlements of one user are derived from, of one snapshot of the database. */
export type UserSources = {
  userId: string;
  /** False: the user has no row. */
  isKnown: boolean;
  userVersion: number;
  projectVersion: number;
  policy: PolicyOverrides;
  sources: Sources;
};

/** A source as it is read: null stands for an item of another project's price. */
type Read<Source extends { items: readonly unknown[] }> = Omit<Source, 'items'> & {
  items: (Source['items'][number] | null)[];
};

type Row = {
  user_id: string;
  user_ref: number | null;
  user_version: number | null;
  project_version: number;
  policy: unknown;
  subscriptions: Read<Sources['subscriptions'][number]>[] | null;
  purchases: Read<Sources['purchases'][number]>[] | null;
  grants: Sources['grants'] | null;
};

/** Confirmed only with the payments of its invoices that were taken back. */
const subscriptionFields = Prisma.raw(
  subscriptionTable.jsonFields('s', [...subscriptionBookkeeping, 'confirmed']),
);

const gravestFirst = [...disputeGravity].reverse();

/** In place of an item of another project's price, which is not the project's to see; one of an unknown price is. */
const isForeign = Prisma.sql`
  catalog.stripe_price_id IS NULL
    AND EXISTS (SELECT FROM public.prices other WHERE other.stripe_price_id = i.stripe_price_id)`;

/** Read where it is explained, or where access depends on it; nearly all checks do not look it up. */
const ownerSourceOf = (alias: 's' | 'p', isExplained: boolean): Prisma.Sql =>
  isExplained
    ? ownerSourceSql(alias)
    : Prisma.sql`CASE WHEN ${quarantinesHints('projects')} THEN ${ownerSourceSql(alias)} END`;

/** Of a purchase `p` that is keyed by its invoice: the payments of that invoice that were taken back. */
const paymentsOfInvoice = Prisma.sql`
          SELECT sum(x.amount_refunded) AS amount_refunded, bool_and(x.confirmed) AS confirmed,
            (array_agg(x.dispute_status ORDER BY array_position(${gravestFirst}::text[], x.dispute_status),
              x.dispute_status))[1] AS dispute_status,
            array_agg(x.snapshot_event_id) AS event_ids
          FROM public.purchases x
          WHERE x.invoice_id = p.id AND (x.amount_refunded > 0 OR x.dispute_status IS NOT NULL)
          HAVING count(*) > 0`;

type Asked = {
  projectId: string;
  userIds: readonly string[];
  /** Whether the source of each owner is read as well. */
  isExplained: boolean;
};

const statementFor = ({ projectId, userIds, isExplained }: Asked): Prisma.Sql => Prisma.sql`
    WITH catalog AS (
      SELECT prices.stripe_price_id, prices.access_days, product_id, products.feature_codes
      FROM public.prices JOIN public.products USING (project_id, product_id) WHERE prices.project_id = ${projectId}
    )
    SELECT coalesce(json_agg(one), '[]') FROM (SELECT
      asked.user_id, users.id AS user_ref, users.version AS user_version,
      projects.version AS project_version, projects.policy,
      CASE WHEN users.id IS NOT NULL THEN (
        SELECT json_agg(json_build_object(
          ${subscriptionFields}, 'ownerSource', ${ownerSourceOf('s', isExplained)}, 'reversedPayments', coalesce(paid.payments, '[]'::json),
          'confirmed', s.confirmed AND coalesce(paid.confirmed, true),
          'lastEvent', CASE WHEN e.event_id IS NOT NULL THEN json_build_object('event_id', e.event_id,
            'type', e.type, 'created', (extract(epoch FROM e.created) * 1000)::bigint) END,
          'items', coalesce((
            SELECT json_agg(CASE WHEN ${isForeign} THEN NULL ELSE json_build_object(
              'itemId', i.item_id, 'stripePriceId', i.stripe_price_id, 'quantity', i.quantity,
              'currentPeriodStart', (extract(epoch FROM i.current_period_start) * 1000)::bigint,
              'currentPeriodEnd', (extract(epoch FROM i.current_period_end) * 1000)::bigint,
              'featureCodes', catalog.feature_codes) END ORDER BY i.item_id)
            FROM public.subscription_items i LEFT JOIN catalog USING (stripe_price_id)
            WHERE i.subscription_id = s.id), '[]'::json)
        ) ORDER BY s.id)
        FROM public.subscriptions s
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
        ) paid ON true
        LEFT JOIN LATERAL (
          SELECT * FROM public.stripe_events one
          WHERE one.event_id = s.snapshot_event_id OR one.event_id = ANY(paid.event_ids)
          ORDER BY one.created DESC, one.event_id DESC LIMIT 1
        ) e ON true
        WHERE s.user_ref = users.id OR s.id = ANY(${otherObjects})) END AS subscriptions,
      CASE WHEN users.id IS NOT NULL THEN (
        SELECT json_agg(json_build_object(
          'id', p.id, 'ownerSource', ${ownerSourceOf('p', isExplained)}, 'status', p.status, 'paidAt', (extract(epoch FROM p.paid_at) * 1000)::bigint,
          'payment', json_build_object('amount', p.amount,
            'amountRefunded', p.amount_refunded + coalesce(paid.amount_refunded, 0),
            'disputeStatus', coalesce(p.dispute_status, paid.dispute_status)),
          'confirmed', p.confirmed AND coalesce(paid.confirmed, true),
          'lastEvent', CASE WHEN e.event_id IS NOT NULL THEN json_build_object('event_id', e.event_id,
            'type', e.type, 'created', (extract(epoch FROM e.created) * 1000)::bigint) END,
          'items', coalesce((
            SELECT json_agg(CASE WHEN ${isForeign} THEN NULL ELSE json_build_object(
              'stripePriceId', i.stripe_price_id, 'quantity', i.quantity,
              'productId', catalog.product_id, 'featureCodes', catalog.feature_codes,
              'accessDays', catalog.access_days) END ORDER BY i.stripe_price_id)
            FROM public.purchase_items i LEFT JOIN catalog USING (stripe_price_id)
            WHERE i.purchase_id = p.id), '[]'::json)
        ) ORDER BY p.id)
        FROM public.purchases p
        LEFT JOIN LATERAL (${paymentsOfInvoice}) paid ON true
        LEFT JOIN LATERAL (
          SELECT * FROM public.stripe_events one
          WHERE one.event_id = p.snapshot_event_id OR one.event_id = ANY(paid.event_ids)
          ORDER BY one.created DESC, one.event_id DESC LIMIT 1
        ) e ON true
        WHERE (p.user_ref = users.id OR p.id = ANY(${otherObjects})) AND p.invoice_id IS NULL
          AND (p.session_id IS NOT NULL OR p.status <> 'pending')
          -- An invoice that only records another purchase sells nothing by itself.
          AND NOT EXISTS (SELECT FROM public.purchases x WHERE x.receipt_invoice_id = p.id)) END AS purchases,
      CASE WHEN users.id IS NOT NULL THEN (
        SELECT json_agg(json_build_object(
          'id', g.id, 'featureCode', g.feature_code,
          'validFrom', (extract(epoch FROM g.valid_from) * 1000)::bigint,
          'validTo', (extract(epoch FROM g.valid_to) * 1000)::bigint,
          'revokedAt', (extract(epoch FROM g.revoked_at) * 1000)::bigint) ORDER BY g.id)
        FROM public.grants g WHERE g.user_ref = users.id) END AS grants
    FROM public.projects
      CROSS JOIN (SELECT DISTINCT unnest(${[...userIds]}::text[]) COLLATE "C" AS user_id) asked
      LEFT JOIN public.users ON users.project_id = projects.id AND users.user_id = asked.user_id
    WHERE projects.id = ${projectId}) one`;

/**
 * Reads everything about 1 to 100 users of one project in one statement, so that versions and sources are
 * of one snapshot. Feature codes come by the project's own catalog: items of another project's prices are left out.
 * Instants leave Postgres as milliseconds. Empty if the project does not exist.
 */
export async function readSources(
  database: Pick<Database, '$queryJson'>,
  projectId: string,
  userIds: readonly string[],
  { isExplained = false }: { isExplained?: boolean } = {},
): Promise<Map<string, UserSources>> {
  const statement = statementFor({ projectId, userIds, isExplained });
  const rows = await readAgainIfConnectionLost(() => database.$queryJson<Row[]>(statement));
  return new Map(rows.map((row) => [row.user_id, toUserSources(row)]));
}

/** The items that are the project's to see; null if all of them are another project's: then the source is not. */
function ourItems<Item>(items: readonly (Item | null)[]): Item[] | null {
  const ours = items.filter((item) => item !== null);
  return ours.length === 0 && items.length > 0 ? null : ours;
}

function toUserSources(row: Row): UserSources {
  return {
    userId: row.user_id,
    isKnown: row.user_ref !== null,
    userVersion: row.user_version ?? 0,
    projectVersion: row.project_version,
    policy: policyOverrides.parse(row.policy),
    sources: {
      subscriptions: (row.subscriptions ?? []).flatMap((one) => {
        const items = ourItems(one.items);
        return items === null ? [] : [{ ...one, items }];
      }),
      purchases: (row.purchases ?? []).flatMap((one) => {
        const items = ourItems(one.items);
        return items === null ? [] : [{ ...one, items }];
      }),
      grants: row.grants ?? [],
    },
  };
}
