import { isOurTurn } from '../erasure/take-turn.ts';
import type { TableSql } from './define-table.ts';
import { after, sentRows, where } from './write-shape.ts';
import type { Parts, WriteShape } from './write-shape.ts';

/** Objects with their owners. Without all the users that it should get, an object waits for the next try. */
function incomingObjects(shape: WriteShape, table: TableSql): string {
  const rows = sentRows(shape, table);
  if (!shape.hasNewUsers) return `SELECT x.*, x.user_ref AS owner_ref FROM ${rows} WHERE ${isOurTurn}`;
  const hasAllOwners = `NOT EXISTS (SELECT FROM incoming_owners AS other
        WHERE other.object_id = x.id AND other.project_id IS NOT NULL AND other.owner_ref IS NULL)`;
  return `
    SELECT x.*, coalesce(x.user_ref, created_users.id) AS owner_ref FROM ${rows}
    LEFT JOIN created_users
      ON created_users.project_id = x.new_project_id AND created_users.user_id = x.new_user_id
    WHERE ${isOurTurn} AND (x.new_user_id IS NULL OR created_users.id IS NOT NULL)
      ${shape.hasOwners ? `AND ${hasAllOwners}` : ''}`;
}

/** The parts that write one kind of object; `afterCtes`: what locks rows before it. */
export function objectParts(shape: WriteShape, table: TableSql, afterCtes: (string | false)[]): Parts {
  const incoming = `incoming_${table.name}`;
  const conditions = afterCtes.flatMap((cte) => (cte === false ? [] : [after(cte)]));
  return {
    [incoming]: !shape.isLone && incomingObjects(shape, table),
    [`written_${table.name}`]: `
    INSERT INTO public.${table.name} AS stored (${table.insert})
    SELECT ${table.values.replace('user_ref', 'owner_ref')}
    FROM ${shape.isLone ? `(${incomingObjects(shape, table)}) ${incoming}` : incoming}
    ${where(...conditions)}
    ORDER BY id COLLATE "C"
    ON CONFLICT (id) DO UPDATE SET ${table.set}, updated_at = now()
    -- The row version is still the one that was read: nobody wrote in between.
    WHERE stored.fence = excluded.fence - 1
    RETURNING id`,
  };
}

/** Replaces the items of objects that were written and have new ones. */
export function itemParts(shape: WriteShape, table: TableSql, items: TableSql): Parts {
  const [incoming, written] = [`incoming_${items.name}`, `written_${table.name}`];
  const [objectId = ''] = items.primaryKey;
  const isSameItem = items.primaryKey.map((column) => `kept.${column} = stored.${column}`).join(' AND ');
  const ofWritten = `SELECT x.* FROM ${sentRows(shape, items)} JOIN ${written} ON ${written}.id = x.${objectId}`;
  return {
    [incoming]: !shape.isLone && ofWritten,
    [`deleted_${items.name}`]:
      !shape.isLone &&
      `
    DELETE FROM public.${items.name} AS stored
    WHERE stored.${objectId} = ANY(ARRAY(
        SELECT id FROM ${written} JOIN incoming_${table.name} USING (id) WHERE loses_items))
      AND NOT EXISTS (SELECT FROM ${incoming} AS kept WHERE ${isSameItem})`,
    [`written_${items.name}`]: `
    INSERT INTO public.${items.name} (${items.insert})
    SELECT ${items.values} FROM ${shape.isLone ? `(${ofWritten}) ${incoming}` : incoming}
    ON CONFLICT (${items.primaryKey.join(', ')}) DO UPDATE SET ${items.set}`,
  };
}

/**
 * Tombstones of customers that Stripe deleted; no mapping is made. Stripe ends their subscriptions: those that
 * live here are read again, should their own events never come.
 */
export const tombstoneParts = ({ hasSubscriptions }: WriteShape): Parts => ({
  deleted_customers: `
    SELECT x.* FROM json_to_recordset($tombstones::json) AS x(id text, deleted_at timestamptz) WHERE ${isOurTurn}`,
  customer_tombstones: `
    INSERT INTO public.customers AS stored (stripe_customer_id, source, deleted_at)
    SELECT id, 'event', deleted_at FROM deleted_customers
    ORDER BY id COLLATE "C"
    ON CONFLICT (stripe_customer_id) DO UPDATE SET deleted_at = coalesce(stored.deleted_at, excluded.deleted_at)`,
  subscriptions_to_recheck: `
    -- A new row version: a writer who read before decides again.
    UPDATE public.subscriptions AS stored
    SET settle_at = coalesce(stored.settle_at, now()), fence = stored.fence + 1, updated_at = now()
    WHERE stored.stripe_customer_id = ANY(ARRAY(SELECT id FROM deleted_customers))
      AND stored.missing_in_stripe_at IS NULL
      AND coalesce(stored.status, '') NOT IN ('canceled', 'incomplete_expired')
      ${hasSubscriptions ? '-- One statement can write a row only once.\n      AND NOT EXISTS (SELECT FROM incoming_subscriptions WHERE incoming_subscriptions.id = stored.id)' : ''}`,
});
