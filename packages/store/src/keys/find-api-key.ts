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
};

type Row = {
  key_id: string;
  project_id: string;
  scopes: string[];
  expires_at: Date | null;
  is_active: boolean;
};

/** Finds a key by its SHA-256 digest; null: there is none, or it is revoked. */
export async function findApiKey(
  database: Pick<Queries, '$queryRaw'>,
  digest: Uint8Array,
): Promise<ApiKeyRecord | null> {
  const [row] = await readAgainIfConnectionLost(
    () => database.$queryRaw<Row[]>`
    SELECT api_keys.id AS key_id, api_keys.project_id, api_keys.scopes, api_keys.expires_at, projects.is_active
    FROM public.api_keys JOIN public.projects ON projects.id = api_keys.project_id
    WHERE api_keys.digest = ${Buffer.from(digest)} AND api_keys.revoked_at IS NULL`,
  );
  if (row === undefined) return null;
  return {
    keyId: row.key_id,
    projectId: row.project_id,
    scopes: row.scopes,
    expiresAt: row.expires_at?.getTime() ?? null,
    isProjectActive: row.is_active,
  };
}

/** Writes when a key was last used, to the minute: one write a minute and key, however busy it is. */
export async function touchApiKey(
  database: Pick<Queries, '$executeRaw'>,
  keyId: string,
  now: Instant,
): Promise<void> {
  await database.$executeRaw`
    UPDATE public.api_keys SET last_used_at = ${new Date(now)}
    WHERE id = ${keyId} AND (last_used_at IS NULL OR last_used_at < ${new Date(now - 60_000)})`;
}
