import type { Client } from 'pg';
import type { LoadPlan } from './plan.ts';
import { addPendingInvalidation } from './write-project.ts';

const chunkRows = 50_000;

const usageTables = [
  'usage_events',
  'usage_event_ids',
  'usage_slots',
  'usage_states',
  'usage_ended_buckets',
  'usage_reservations',
  'usage_crossings',
  'usage_refusals',
  'usage_meter_hours',
  'usage_meter_reports',
];

/** In the order of the foreign keys; `$1` holds the internal ids of users. */
const ofUsers = [
  `DELETE FROM stripe_event_payloads p USING stripe_events e WHERE p.event_id = e.event_id AND p.received_at = e.received_at
   AND e.customer_id IN (SELECT stripe_customer_id FROM customers WHERE user_ref = ANY($1))`,
  'DELETE FROM stripe_events WHERE customer_id IN (SELECT stripe_customer_id FROM customers WHERE user_ref = ANY($1))',
  ...usageTables.map(
    (table) => `DELETE FROM ${table} t USING users u WHERE u.id = ANY($1)
      AND t.project_id = u.project_id AND t.user_id = u.user_id`,
  ),
  'DELETE FROM subscriptions WHERE user_ref = ANY($1)',
  'DELETE FROM purchases WHERE user_ref = ANY($1)',
  'DELETE FROM grants WHERE user_ref = ANY($1)',
  'DELETE FROM object_owners WHERE user_ref = ANY($1)',
  'DELETE FROM customer_users WHERE user_ref = ANY($1)',
  'DELETE FROM customers WHERE user_ref = ANY($1)',
  'DELETE FROM users WHERE id = ANY($1)',
];

const ofProject = [
  // Of users without a row: usage can be recorded of anybody.
  ...usageTables.map((table) => `DELETE FROM ${table} WHERE project_id = $1`),
  'DELETE FROM features WHERE project_id = $1',
  'DELETE FROM idempotency_keys WHERE project_id = $1',
  'DELETE FROM prices WHERE project_id = $1',
  'DELETE FROM products WHERE project_id = $1',
  'DELETE FROM api_keys WHERE project_id = $1',
  'DELETE FROM projects WHERE id = $1',
];

/**
 * Deletes a load project with all that load tests added to it, except the audit log. Throws for a project that
 * seed:load did not create. Returns the number of deleted users.
 */
export async function removeProject(
  client: Client,
  plan: Pick<LoadPlan, 'projectId'>,
  onProgress: (users: number) => void,
): Promise<number> {
  const found = await client.query('SELECT description FROM projects WHERE id = $1', [plan.projectId]);
  const description: unknown = found.rows[0]?.description;
  if (found.rowCount === 0) return 0;
  if (typeof description !== 'string' || !description.startsWith('Load test data:'))
    throw new Error(`Project "${plan.projectId}" was not made by seed:load, so it is left alone.`);
  await addPendingInvalidation(client, plan.projectId);
  let removed = 0;
  for (;;) {
    const batch = await client.query<{ id: string }>('SELECT id FROM users WHERE project_id = $1 LIMIT $2', [
      plan.projectId,
      chunkRows,
    ]);
    if (batch.rows.length === 0) break;
    const ids = batch.rows.map((row) => row.id);
    await client.query('BEGIN');
    for (const statement of ofUsers) await client.query(statement, [ids]);
    await client.query('COMMIT');
    removed += ids.length;
    onProgress(removed);
  }
  await client.query('BEGIN');
  for (const statement of ofProject) await client.query(statement, [plan.projectId]);
  await client.query('COMMIT');
  return removed;
}
