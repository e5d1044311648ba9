import { ensureDatabase } from '@billing/testing';
import type { PostgresServer } from '@billing/testing';
import { Client } from 'pg';

/** What the hand-written rivals write: the same facts as ours without what order, ownership and retries need. */
const leanTables = `
  CREATE SCHEMA lean;
  CREATE TABLE lean.events (
    event_id text PRIMARY KEY, type text NOT NULL, object_id text NOT NULL, created timestamptz NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(), payload jsonb NOT NULL
  );
  CREATE TABLE lean.subscriptions (
    id text PRIMARY KEY, customer_id text NOT NULL, project_id text NOT NULL, user_id text NOT NULL,
    status text NOT NULL, snapshot_at timestamptz NOT NULL
  );
  CREATE INDEX ON lean.subscriptions (project_id, user_id);
  CREATE TABLE lean.subscription_items (
    subscription_id text NOT NULL, item_id text NOT NULL, stripe_price_id text NOT NULL, quantity bigint NOT NULL,
    current_period_end timestamptz, PRIMARY KEY (subscription_id, item_id)
  );
  CREATE TABLE lean.users (
    project_id text NOT NULL, user_id text NOT NULL, version bigint NOT NULL, PRIMARY KEY (project_id, user_id)
  );
  CREATE TABLE lean.balances (user_id text PRIMARY KEY, granted bigint NOT NULL, used bigint NOT NULL DEFAULT 0);
  CREATE TABLE lean.usage_events (
    event_id text PRIMARY KEY, user_id text NOT NULL, quantity bigint NOT NULL, recorded_at timestamptz NOT NULL DEFAULT now()
  );`;

/** The rivals' own database on the same Postgres. The sync engine creates its tables itself. */
export async function setUpPeersDatabase(postgres: PostgresServer): Promise<{ url: string; client: Client }> {
  const url = await ensureDatabase(postgres, 'peers');
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query(leanTables);
  return { url, client };
}
