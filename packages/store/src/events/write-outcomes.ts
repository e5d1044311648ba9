import type { OwedInvalidation } from '../change-user.ts';
import type { Database } from '../create-database.ts';
import { toStatementInput } from './outcomes.ts';
import type { Outcome } from './outcomes.ts';
import { bumpVersions, recordEvents, writeTombstones } from './write-ledger-sql.ts';
import { writePurchaseItems, writePurchases } from './write-purchases-sql.ts';
import { writeSubscriptionItems, writeSubscriptions } from './write-subscriptions-sql.ts';

export type Written = {
  /** Keys of the objects that were written (`objectKeyOf`); the others changed meanwhile: decide them again. */
  held: ReadonlySet<string>;
  /** Events that are now in the ledger by this statement. */
  recorded: ReadonlySet<string>;
  owed: OwedInvalidation[];
};

type WrittenRow = {
  held: string[];
  recorded: string[];
  owed: { id: number; projectId: string; userId: string; version: number }[];
};

/**
 * Writes a batch in one statement, which is one transaction. Users are locked first, in the order of their
 * ids, as everywhere. An object is written only if its fence is still the one that was read; its items, its
 * users' versions and its events' ledger rows follow it, so an event and its effect are one. A row is
 * inserted with fence 1, which no stored row can precede. An object may occur once in a batch.
 */
export async function writeOutcomes(database: Database, outcomes: readonly Outcome[]): Promise<Written> {
  const input = JSON.stringify(toStatementInput(outcomes));
  const rows = await database.$queryRaw<WrittenRow[]>`
    WITH input AS MATERIALIZED (SELECT ${input}::jsonb AS doc),
    bumps AS MATERIALIZED (
      SELECT x.object_key, x.user_ref
      FROM input, jsonb_to_recordset(doc -> 'bumps') AS x(object_key text, user_ref bigint)),
    locked AS MATERIALIZED (
      SELECT id FROM users WHERE id IN (SELECT user_ref FROM bumps) ORDER BY id FOR UPDATE),
    made AS (
      INSERT INTO users (project_id, user_id, version)
      SELECT x.project_id, x.user_id, 1
      FROM input, jsonb_to_recordset(doc -> 'new_users') AS x(project_id text, user_id text)
      WHERE (SELECT count(*) FROM locked) >= 0
      ORDER BY x.project_id COLLATE "C", x.user_id COLLATE "C"
      ON CONFLICT DO NOTHING
      RETURNING id, project_id, user_id, version),
    ${writeSubscriptions},
    ${writeSubscriptionItems},
    ${writePurchases},
    ${writePurchaseItems},
    ${writeTombstones},
    ${bumpVersions},
    ${recordEvents}
    SELECT
      (SELECT coalesce(jsonb_agg(object_key), '[]') FROM held) AS held,
      (SELECT coalesce(jsonb_agg(event_id), '[]') FROM recorded) AS recorded,
      (SELECT coalesce(jsonb_agg(jsonb_build_object(
        'id', id, 'projectId', project_id, 'userId', user_id, 'version', version)), '[]') FROM owed) AS owed`;
  const [row] = rows;
  if (row === undefined) throw new Error('writing outcomes returned no row');
  return {
    held: new Set(row.held),
    recorded: new Set(row.recorded),
    owed: row.owed.map((one) => ({ ...one, id: BigInt(one.id), version: BigInt(one.version) })),
  };
}
