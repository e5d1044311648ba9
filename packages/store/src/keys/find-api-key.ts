import type { Instant } from '@billing/domain';
import type { Queries } from '../create-database.ts';
import { readAgainIfConnectionLost } from '../read-again.ts';

/** The project of a key and what it may do; a revoked key has no record. */
export type ApiKeyRecord = {
  keyId: string;
  projectId: string;
  scopes: readonly string[];
  expiresAt: Instant | null;
  isProjectActive: boolean;
  /** Networks (CIDR) that it may be used from; empty: any. */
  allowedIps: readonly string[];
  /** Null: as the process's default says. */
  rateLimitPerSecond: number | null;
};

export type ApiKeyRow = {
  key_id: string;
  project_id: string;
  scopes: string[];
  expires_at: Date | null;
  is_active: boolean;
  allowed_ips: string[];
  rate_limit_per_second: number | null;
};

export const toApiKeyRecord = (row: ApiKeyRow): ApiKeyRecord => ({
  keyId: row.key_id,
  projectId: row.project_id,
  scopes: row.scopes,
  expiresAt: row.expires_at?.getTime() ?? null,
  isProjectActive: row.is_active,
  allowedIps: row.allowed_ips,
  rateLimitPerSecond: row.rate_limit_per_second,
});

/** Finds a key by its SHA-256 digest; null: there is none, or it is revoked. */
export async function findApiKey(
  database: Pick<Queries, '$queryRaw'>,
  digest: Uint8Array,
): Promise<ApiKeyRecord | null> {
  const [row] = await readAgainIfConnectionLost(
    () => database.$queryRaw<ApiKeyRow[]>`
    SELECT api_keys.id AS key_id, api_keys.project_id, api_keys.scopes, api_keys.expires_at, projects.is_active,
      api_keys.allowed_ips, api_keys.rate_limit_per_second
    FROM public.api_keys JOIN public.projects ON projects.id = api_keys.project_id
    WHERE api_keys.digest = ${Buffer.from(digest)} AND api_keys.revoked_at IS NULL`,
  );
  return row === undefined ? null : toApiKeyRecord(row);
}

/** Rows of one statement: short enough to hold up nobody. */
const touchedAtOnce = 5_000;

/** Writes when keys were last used, to the minute: one statement for many keys, however busy they are. */
export async function touchApiKeys(
  database: Pick<Queries, '$executeRaw'>,
  keyIds: readonly string[],
  now: Instant,
): Promise<void> {
  for (let start = 0; start < keyIds.length; start += touchedAtOnce)
    // Another process that writes the same row writes the same minute.
    await database.$executeRaw`
      UPDATE public.api_keys SET last_used_at = ${new Date(now)} FROM (
        SELECT id FROM public.api_keys
        WHERE id = ANY(${keyIds.slice(start, start + touchedAtOnce)}::text[])
          AND (last_used_at IS NULL OR last_used_at < ${new Date(now - 60_000)})
        ORDER BY id FOR UPDATE SKIP LOCKED
      ) used WHERE api_keys.id = used.id`;
}
