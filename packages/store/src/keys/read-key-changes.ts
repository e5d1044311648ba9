import type { Queries } from '../create-database.ts';
import { toApiKeyRecord } from './find-api-key.ts';
import type { ApiKeyRecord, ApiKeyRow } from './find-api-key.ts';

/** `record` null: the key is revoked. `digest` in hexadecimal. */
export type KeyChange = { digest: string; record: ApiKeyRecord | null };

/**
 * `next`: from which transaction on to ask the next time. All before it are over, so that what they changed is either
 * in an answer by now, or was never committed.
 */
export type KeyChanges = { changes: KeyChange[]; next: bigint };

type ChangeRow = ApiKeyRow & { digest: string; is_revoked: boolean };
type Row = { next: string } & { [Name in keyof ChangeRow]: ChangeRow[Name] | null };

const isChange = (row: Row): row is Row & ChangeRow => row.digest !== null;

/** The keys that changed in the transaction `since` or later, or whose project was switched on or off. */
export async function readKeyChanges(
  database: Pick<Queries, '$queryRaw'>,
  since: bigint,
): Promise<KeyChanges> {
  // Not beyond the snapshot: rows that were restored from another server carry numbers of that one.
  const rows = await database.$queryRaw<Row[]>`
    SELECT * FROM (
    WITH snapshot AS MATERIALIZED (
      SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS oldest,
        pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS beyond
    ), changed AS MATERIALIZED (
      SELECT id FROM public.api_keys
      WHERE changed_in >= ${since} AND changed_in < (SELECT beyond FROM snapshot)
      UNION
      SELECT api_keys.id FROM public.projects JOIN public.api_keys ON api_keys.project_id = projects.id
      WHERE projects.switched_in >= ${since} AND projects.switched_in < (SELECT beyond FROM snapshot)
    ), found AS (
      SELECT encode(api_keys.digest, 'hex') AS digest, api_keys.revoked_at IS NOT NULL AS is_revoked,
        api_keys.id AS key_id, api_keys.project_id, api_keys.scopes, api_keys.expires_at, projects.is_active,
        api_keys.allowed_ips, api_keys.rate_limit_per_second
      FROM changed JOIN public.api_keys ON api_keys.id = changed.id JOIN public.projects ON projects.id = api_keys.project_id
    )
    SELECT snapshot.oldest::text AS next, found.* FROM snapshot LEFT JOIN found ON true) polled`;
  const changes = rows
    .filter(isChange)
    .map((row) => ({ digest: row.digest, record: row.is_revoked ? null : toApiKeyRecord(row) }));
  return { changes, next: BigInt(rows[0]?.next ?? since) };
}

/** A page of the keys that are neither revoked nor over, in the order of their ids. */
export async function readLiveKeys(
  database: Pick<Queries, '$queryRaw'>,
  { after, limit }: { after: string; limit: number },
): Promise<{ digest: string; record: ApiKeyRecord }[]> {
  const rows = await database.$queryRaw<(ApiKeyRow & { digest: string })[]>`
    SELECT encode(api_keys.digest, 'hex') AS digest, api_keys.id AS key_id, api_keys.project_id, api_keys.scopes,
      api_keys.expires_at, projects.is_active, api_keys.allowed_ips, api_keys.rate_limit_per_second
    FROM public.api_keys JOIN public.projects ON projects.id = api_keys.project_id
    WHERE api_keys.id > ${after} AND api_keys.revoked_at IS NULL
      AND (api_keys.expires_at IS NULL OR api_keys.expires_at > clock_timestamp())
    ORDER BY api_keys.id LIMIT ${limit}`;
  return rows.map((row) => ({ digest: row.digest, record: toApiKeyRecord(row) }));
}
