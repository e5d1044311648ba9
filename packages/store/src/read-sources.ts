import { disputeGravity, policyOverrides, subscriptionBookkeeping } from '@billing/domain';
import type { PolicyOverrides, Sources } from '@billing/domain';
import type { Database } from './create-database.ts';
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

type Row = {
  user_id: string;
  user_ref: number | null;
  user_version: number | null;
  project_version: number;
  policy: unknown;
  subscriptions: Sources['subscriptions'] | null;
  purchases: Sources['purchases'] | null;
  grants: Sources['grants'] | null;
};

/** Confirmed only with the payment of its period. */
const subscriptionFields = Prisma.raw(
  subscriptionTable.jsonFields('s', [...subscriptionBookkeeping, 'confirmed']),
);

const gravestFirst = [...disputeGravity].reverse();

const statementFor = (projectId: string, userIds: readonly string[]): Prisma.Sql => Prisma.sql`
    WITH catalog AS (
      SELECT prices.stripe_price_id, prices.access_days, product_id, products.feature_codes
      FROM prices JOIN products USING (project_id, product_id) WHERE prices.project_id = ${projectId}
    )
    SELECT coalesce(json_agg(one), '[]') FROM (SELECT
      asked.user_id, users.id AS user_ref, users.version AS user_version,
      projects.version AS project_version, projects.policy,
      CASE WHEN users.id IS NOT NULL THEN (
        SELECT json_agg(json_build_object(
          ${subscriptionFields}, 'periodPayment', paid.state,
          'confirmed', s.confirmed AND coalesce(paid.confirmed, true),
          'lastEvent', CASE WHEN e.event_id IS NOT NULL THEN json_build_object('event_id', e.event_id,
            'type', e.type, 'created', (extract(epoch FROM e.created) * 1000)::bigint) END,
          'items', coalesce((
            SELECT json_agg(json_build_object(
              'stripePriceId', i.stripe_price_id, 'quantity', i.quantity,
              'currentPeriodStart', (extract(epoch FROM i.current_period_start) * 1000)::bigint,
              'currentPeriodEnd', (extract(epoch FROM i.current_period_end) * 1000)::bigint,
              'featureCodes', catalog.feature_codes) ORDER BY i.item_id)
            FROM subscription_items i LEFT JOIN catalog USING (stripe_price_id)
            WHERE i.subscription_id = s.id), '[]'::json)
        ) ORDER BY s.id)
        FROM subscriptions s
        LEFT JOIN LATERAL (
          SELECT
            json_build_object('amount', CASE WHEN bool_and(x.amount IS NOT NULL) THEN sum(x.amount) END,
              'amountRefunded', sum(x.amount_refunded),
              'disputeStatus', (array_agg(x.dispute_status ORDER BY
                array_position(${gravestFirst}::text[], x.dispute_status), x.dispute_status))[1]) AS state,
            bool_and(x.confirmed) AS confirmed, array_agg(x.snapshot_event_id) AS event_ids
          FROM purchases x
          WHERE x.invoice_id = coalesce(s.period_invoice_id, s.latest_invoice_id)
            AND (x.amount_refunded > 0 OR x.dispute_status IS NOT NULL)
          HAVING count(*) > 0
        ) paid ON true
        LEFT JOIN LATERAL (
          SELECT * FROM stripe_events one
          WHERE one.event_id = s.snapshot_event_id OR one.event_id = ANY(paid.event_ids)
          ORDER BY one.created DESC, one.event_id DESC LIMIT 1
        ) e ON true
        WHERE s.user_ref = users.id) END AS subscriptions,
      CASE WHEN users.id IS NOT NULL THEN (
        SELECT json_agg(json_build_object(
          'id', p.id, 'status', p.status, 'paidAt', (extract(epoch FROM p.paid_at) * 1000)::bigint,
          'payment', json_build_object('amount', p.amount, 'amountRefunded', p.amount_refunded,
            'disputeStatus', p.dispute_status), 'confirmed', p.confirmed,
          'lastEvent', CASE WHEN e.event_id IS NOT NULL THEN json_build_object('event_id', e.event_id,
            'type', e.type, 'created', (extract(epoch FROM e.created) * 1000)::bigint) END,
          'items', coalesce((
            SELECT json_agg(json_build_object(
              'stripePriceId', i.stripe_price_id, 'quantity', i.quantity,
              'productId', catalog.product_id, 'featureCodes', catalog.feature_codes,
              'accessDays', catalog.access_days) ORDER BY i.stripe_price_id)
            FROM purchase_items i LEFT JOIN catalog USING (stripe_price_id)
            WHERE i.purchase_id = p.id), '[]'::json)
        ) ORDER BY p.id)
        FROM purchases p LEFT JOIN stripe_events e ON e.event_id = p.snapshot_event_id
        WHERE p.user_ref = users.id AND p.invoice_id IS NULL
          AND (p.session_id IS NOT NULL OR p.status <> 'pending')) END AS purchases,
      CASE WHEN users.id IS NOT NULL THEN (
        SELECT json_agg(json_build_object(
          'id', g.id, 'featureCode', g.feature_code,
          'validFrom', (extract(epoch FROM g.valid_from) * 1000)::bigint,
          'validTo', (extract(epoch FROM g.valid_to) * 1000)::bigint,
          'revokedAt', (extract(epoch FROM g.revoked_at) * 1000)::bigint) ORDER BY g.id)
        FROM grants g WHERE g.user_ref = users.id) END AS grants
    FROM projects
      CROSS JOIN (SELECT DISTINCT unnest(${[...userIds]}::text[]) COLLATE "C" AS user_id) asked
      LEFT JOIN users ON users.project_id = projects.id AND users.user_id = asked.user_id
    WHERE projects.id = ${projectId}) one`;

/**
 * Reads everything about 1 to 100 users of one project in one statement, so that versions and sources are
 * of one snapshot. Feature codes come by the project's own catalog: a price of another project is unmapped
 * here. Instants leave Postgres as milliseconds. Empty if the project does not exist.
 */
export async function readSources(
  database: Pick<Database, '$queryJson'>,
  projectId: string,
  userIds: readonly string[],
): Promise<Map<string, UserSources>> {
  const statement = statementFor(projectId, userIds);
  const rows = await readAgainIfConnectionLost(() => database.$queryJson<Row[]>(statement));
  return new Map(rows.map((row) => [row.user_id, toUserSources(row)]));
}

function toUserSources(row: Row): UserSources {
  return {
    userId: row.user_id,
    isKnown: row.user_ref !== null,
    userVersion: row.user_version ?? 0,
    projectVersion: row.project_version,
    policy: policyOverrides.parse(row.policy),
    sources: {
      subscriptions: row.subscriptions ?? [],
      purchases: row.purchases ?? [],
      grants: row.grants ?? [],
    },
  };
}
