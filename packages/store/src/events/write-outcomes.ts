import type { Database } from '../create-database.ts';
import { isOurTurn, takeTurn, takeTurnToCreate } from '../erasure/take-turn.ts';
import { withPayloadMonths } from '../event-payloads/payload-months.ts';
import { Prisma } from '../generated/client.ts';
import { sqlTemplate } from '../sql-template.ts';
import type { TableSql } from './define-table.ts';
import { toOutcomeRows } from './outcome-rows.ts';
import type { OutcomeRows } from './outcome-rows.ts';
import type { Outcome, Written } from './outcomes.ts';
import { recordEvents, recordNone } from './record-events.ts';
import { purchaseItemTable, purchaseTable, subscriptionItemTable, subscriptionTable } from './tables.ts';

/**
 * Always true, and makes a CTE wait for another one: Postgres promises no order among CTEs that write, but finishes
 * one before it counts its rows. All writers lock users, then subscriptions, then purchases, each in the order of
 * their ids (`COLLATE "C"`), so that no two of them wait for each other.
 */
const after = (cte: string): string => `(SELECT count(*) FROM ${cte}) >= 0`;

/** `NO KEY`: a row that was just made to point at a user must not block those who do the same. */
const lockUsers = sqlTemplate(`
  version_bumps AS MATERIALIZED (
    SELECT x.* FROM json_to_recordset($rows::json) AS x(object_key text, user_ref bigint)
    WHERE ${isOurTurn}),
  locked_users AS MATERIALIZED (
    SELECT id FROM public.users WHERE id = ANY(ARRAY(SELECT user_ref FROM version_bumps)) ORDER BY id
    FOR NO KEY UPDATE)`);

/** Users whom an object names for the first time. */
const createUsers = sqlTemplate(`
  created_users AS (
    INSERT INTO public.users (project_id, user_id, version)
    SELECT x.project_id, x.user_id, 1
    FROM json_to_recordset($rows::json) AS x(project_id text, user_id text)
    WHERE ${isOurTurn} AND ${after('locked_users')}
    ORDER BY x.project_id COLLATE "C", x.user_id COLLATE "C"
    -- Whoever created the user in between wins: the object is not written, and is decided again.
    ON CONFLICT DO NOTHING
    RETURNING id, project_id, user_id, version)`);

/** What the rest of the statement names, where a batch creates no user. */
const createNoUsers = sqlTemplate(`
  created_users AS (SELECT id, project_id, user_id, version FROM public.users WHERE false)`);

/** Owners of objects in further projects. A row without a project names an object whose other owners go. */
const readOwners = sqlTemplate(`
  incoming_owners AS MATERIALIZED (
    SELECT x.*, coalesce(x.user_ref, created_users.id) AS owner_ref
    FROM json_to_recordset($rows::json)
      AS x(object_key text, object_id text, project_id text, user_id text, user_ref bigint, source text)
    LEFT JOIN created_users ON created_users.project_id = x.project_id AND created_users.user_id = x.user_id)`);

const writeOwners = sqlTemplate(`
  deleted_owners AS (
    DELETE FROM public.object_owners AS stored
    WHERE stored.object_id = ANY(ARRAY(SELECT object_id FROM incoming_owners JOIN written_objects USING (object_key)))
      AND stored.source <> 'assignment'
      AND NOT EXISTS (SELECT FROM incoming_owners AS kept
        WHERE kept.object_id = stored.object_id AND kept.project_id = stored.project_id)),
  written_owners AS (
    INSERT INTO public.object_owners AS stored (object_id, project_id, user_ref, source)
    SELECT object_id, project_id, owner_ref, source FROM incoming_owners JOIN written_objects USING (object_key)
    WHERE project_id IS NOT NULL
    ORDER BY object_id COLLATE "C", project_id COLLATE "C"
    ON CONFLICT (object_id, project_id) DO UPDATE SET user_ref = excluded.user_ref, source = excluded.source
    WHERE stored.source <> 'assignment')`);

/** Without all the users that it should get, an object waits for the next try. */
const hasAllOwners = `
      AND NOT EXISTS (SELECT FROM incoming_owners AS other
        WHERE other.object_id = x.id AND other.project_id IS NOT NULL AND other.owner_ref IS NULL)`;

/** The parts that write one kind of object. */
function objectSql(table: TableSql, items: TableSql, afterCtes: readonly string[]) {
  const [incoming, written] = [`incoming_${table.name}`, `written_${table.name}`];
  const [incomingItems, writtenItems] = [`incoming_${items.name}`, `written_${items.name}`];
  const [objectId = ''] = items.primaryKey;
  const isSameItem = items.primaryKey.map((column) => `kept.${column} = stored.${column}`).join(' AND ');
  const write = (condition: string) =>
    sqlTemplate(`
  ${incoming} AS MATERIALIZED (
    SELECT x.*, coalesce(x.user_ref, created_users.id) AS owner_ref
    FROM json_to_recordset($rows::json) AS x(${table.recordset})
    LEFT JOIN created_users
      ON created_users.project_id = x.new_project_id AND created_users.user_id = x.new_user_id
    -- Without the owner that it should get, the object waits for the next try.
    WHERE ${isOurTurn} AND (x.new_user_id IS NULL OR created_users.id IS NOT NULL)${condition}),
  ${written} AS (
    INSERT INTO public.${table.name} AS stored (${table.insert})
    SELECT ${table.values.replace('user_ref', 'owner_ref')}
    FROM ${incoming}
    WHERE ${afterCtes.map(after).join(' AND ')}
    ORDER BY id COLLATE "C"
    ON CONFLICT (id) DO UPDATE SET ${table.set}, updated_at = now()
    -- The row version is still the one that was read: nobody wrote in between.
    WHERE stored.fence = excluded.fence - 1
    RETURNING id)`);
  return {
    write: write(''),
    writeWithOwners: write(hasAllOwners),
    /** What the rest of the statement names, where a batch has none. */
    writeNone: sqlTemplate(`
  ${incoming} AS (SELECT id FROM public.${table.name} WHERE false),
  ${written} AS (SELECT id FROM public.${table.name} WHERE false)`),
    /** Replaces the items of objects that were written and have new ones. */
    writeItems: sqlTemplate(`
  ${incomingItems} AS MATERIALIZED (
    SELECT x.* FROM json_to_recordset($rows::json) AS x(${items.recordset})
    JOIN ${written} ON ${written}.id = x.${objectId}),
  deleted_${items.name} AS (
    DELETE FROM public.${items.name} AS stored
    WHERE stored.${objectId} = ANY(ARRAY(SELECT id FROM ${written} JOIN ${incoming} USING (id) WHERE has_new_items))
      AND NOT EXISTS (SELECT FROM ${incomingItems} AS kept WHERE ${isSameItem})),
  ${writtenItems} AS (
    INSERT INTO public.${items.name} (${items.insert})
    SELECT ${items.values} FROM ${incomingItems}
    ON CONFLICT (${items.primaryKey.join(', ')}) DO UPDATE SET ${items.set})`),
  };
}

const subscriptionSql = objectSql(subscriptionTable, subscriptionItemTable, [
  'locked_users',
  'created_users',
]);
const purchaseSql = objectSql(purchaseTable, purchaseItemTable, ['locked_users', 'written_subscriptions']);

/**
 * Tombstones of customers that Stripe deleted; no mapping is made. Stripe ends their subscriptions: those that
 * live here are read again, should their own events never come.
 */
const writeTombstones = sqlTemplate(`
  deleted_customers AS MATERIALIZED (
    SELECT x.* FROM json_to_recordset($rows::json) AS x(id text, deleted_at timestamptz) WHERE ${isOurTurn}),
  customer_tombstones AS (
    INSERT INTO public.customers AS stored (stripe_customer_id, source, deleted_at)
    SELECT id, 'event', deleted_at FROM deleted_customers
    ORDER BY id COLLATE "C"
    ON CONFLICT (stripe_customer_id) DO UPDATE SET deleted_at = coalesce(stored.deleted_at, excluded.deleted_at)),
  subscriptions_to_recheck AS (
    -- A new row version: a writer who read before decides again.
    UPDATE public.subscriptions AS stored
    SET settle_at = coalesce(stored.settle_at, now()), fence = stored.fence + 1, updated_at = now()
    WHERE stored.stripe_customer_id = ANY(ARRAY(SELECT id FROM deleted_customers))
      AND stored.missing_in_stripe_at IS NULL
      AND coalesce(stored.status, '') NOT IN ('canceled', 'incomplete_expired')
      -- One statement can write a row only once.
      AND NOT EXISTS (SELECT FROM incoming_subscriptions WHERE incoming_subscriptions.id = stored.id))`);

/** Versions of the users whose objects were written, and the invalidations of what the cache has of them. */
const bumpVersions = sqlTemplate(`
  written_objects AS MATERIALIZED (
    SELECT 'subscription:' || id AS object_key FROM written_subscriptions
    UNION ALL SELECT 'purchase:' || id FROM written_purchases),
  bumped_users AS (
    UPDATE public.users SET version = version + 1
    WHERE id = ANY(ARRAY(SELECT user_ref FROM version_bumps JOIN written_objects USING (object_key)))
    RETURNING project_id, user_id, version),
  pending_invalidations AS (
    INSERT INTO public.cache_invalidations (project_id, user_id, version)
    SELECT project_id, user_id, version FROM bumped_users
    UNION ALL SELECT project_id, user_id, version FROM created_users
    RETURNING id, project_id, user_id, version)`);

type WrittenRow = {
  isOurTurn: boolean;
  written: string[];
  recorded: string[];
  pending: { id: number; projectId: string; userId: string; version: number }[];
};

/** The parts of the statement that the batch needs: Postgres prepares all it is given, needed or not. */
function partsFor(rows: OutcomeRows, erasureMark: number): Prisma.Sql[] {
  const { newUsers, owners, subscriptions, subscriptionItems, purchases, purchaseItems, tombstones } = rows;
  const write = owners === null ? 'write' : 'writeWithOwners';
  return [
    newUsers === null ? takeTurn(erasureMark) : takeTurnToCreate(erasureMark),
    lockUsers(rows.bumps),
    newUsers === null ? createNoUsers() : createUsers(newUsers),
    ...(owners === null ? [] : [readOwners(owners)]),
    subscriptions === null ? subscriptionSql.writeNone() : subscriptionSql[write](subscriptions),
    ...(subscriptionItems === null ? [] : [subscriptionSql.writeItems(subscriptionItems)]),
    purchases === null ? purchaseSql.writeNone() : purchaseSql[write](purchases),
    ...(purchaseItems === null ? [] : [purchaseSql.writeItems(purchaseItems)]),
    ...(tombstones === null ? [] : [writeTombstones(tombstones)]),
    bumpVersions(),
    ...(owners === null ? [] : [writeOwners()]),
    rows.events === null ? recordNone() : recordEvents(rows.events),
  ];
}

/**
 * Writes a batch in one statement, which is one transaction. Users are locked first, in the order of their
 * ids, as everywhere. An object is written only if its row version is still the one that was read; its items, its
 * users' versions and its events' ledger rows follow it, so an event and its effect are one. `erasureMark`: of the state
 * that all was decided by (`EventState`). A row is inserted
 * with version 1, which no stored row can precede. An object may occur once in a batch.
 */
export async function writeOutcomes(
  database: Pick<Database, '$queryJson'>,
  outcomes: readonly Outcome[],
  { erasureMark }: { erasureMark: number },
): Promise<Written> {
  const parts = Prisma.join(partsFor(toOutcomeRows(outcomes), erasureMark), ',');
  const statement = Prisma.sql`
    WITH ${parts}
    SELECT json_build_object('isOurTurn', (SELECT is_ours FROM turn),
      'written', (SELECT coalesce(json_agg(object_key), '[]') FROM written_objects),
      'recorded', (SELECT coalesce(json_agg(event_id), '[]') FROM recorded_events),
      'pending', (SELECT coalesce(json_agg(json_build_object(
        'id', id, 'projectId', project_id, 'userId', user_id, 'version', version)), '[]') FROM pending_invalidations))`;
  const events = outcomes.flatMap((outcome) => outcome.events);
  const {
    isOurTurn: isCurrent,
    written,
    recorded,
    pending,
  } = await withPayloadMonths(database, events, () => database.$queryJson<WrittenRow>(statement));
  return {
    isCurrent,
    written: new Set(written),
    recorded: new Set(recorded),
    pending: pending.map((one) => ({ ...one, id: BigInt(one.id), version: BigInt(one.version) })),
  };
}
