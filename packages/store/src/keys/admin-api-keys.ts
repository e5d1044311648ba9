import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { apiKeyPrefix, apiKeyRandomBytes, apiKeyScopes, formatApiKey, ServiceError } from '@billing/domain';
import type { CreateApiKeyRequest, Instant } from '@billing/domain';
import { writeAudit } from '../audit.ts';
import type { Actor } from '../audit.ts';
import { lockProject } from '../change-user.ts';
import type { Database } from '../create-database.ts';
import type { ApiKey } from '../generated/client.ts';
import { decodeCursor, timeAndIdKey, toPage } from '../page.ts';
import type { Page, PageRequest } from '../page.ts';

/** A key without its digest, as it may be shown. */
export type ApiKeyRow = Omit<ApiKey, 'digest' | 'changedIn'>;

export const hidden = { digest: true, changedIn: true } as const;

/** A new key, and what the database has of it. */
export function newSecret() {
  const secret = formatApiKey(randomBytes(apiKeyRandomBytes));
  const columns = {
    id: `key_${randomUUID().replaceAll('-', '')}`,
    prefix: apiKeyPrefix(secret),
    digest: new Uint8Array(createHash('sha256').update(secret).digest()),
  };
  return { secret, columns };
}

/** For the audit log. */
export const describeKey = (key: ApiKeyRow) => ({
  prefix: key.prefix,
  name: key.name,
  scopes: key.scopes,
  expires_at: key.expiresAt?.toISOString() ?? null,
  ...(key.allowedIps.length === 0 ? {} : { allowed_ips: key.allowedIps }),
  ...(key.rateLimitPerSecond === null ? {} : { rate_limit_per_second: key.rateLimitPerSecond }),
});

/** Makes a key; `secret` exists in this answer only, the database has its SHA-256 digest. Throws `project_not_found`. */
export async function createApiKey(
  database: Database,
  { projectId, request, actor }: { projectId: string; request: CreateApiKeyRequest; actor: Actor },
): Promise<{ key: ApiKeyRow; secret: string }> {
  const { secret, columns } = newSecret();
  const row = {
    ...columns,
    projectId,
    name: request.name ?? null,
    scopes: [...new Set(request.scopes ?? apiKeyScopes)],
    expiresAt: request.expires_at === undefined ? null : new Date(request.expires_at),
    allowedIps: [...new Set(request.allowed_ips)],
    rateLimitPerSecond: request.rate_limit_per_second ?? null,
  };
  const key = await database.$transaction(async (tx) => {
    await lockProject(tx, projectId);
    const created = await tx.apiKey.create({ data: row, omit: hidden });
    await writeAudit(tx, {
      actor,
      action: 'api_key.create',
      projectId,
      target: { type: 'api_key', id: row.id },
      change: { before: null, after: describeKey(created) },
    });
    return created;
  });
  return { key, secret };
}

export async function listApiKeys(
  database: Database,
  { projectId, limit, cursor }: PageRequest & { projectId: string },
): Promise<Page<ApiKeyRow>> {
  const where =
    cursor === undefined ? { projectId } : { projectId, OR: afterKey(decodeCursor(timeAndIdKey, cursor)) };
  const rows = await database.apiKey.findMany({
    where,
    orderBy: [{ createdAt: 'asc' }, { id: 'asc' }],
    take: limit + 1,
    omit: hidden,
  });
  return toPage(rows, limit, (row) => [row.createdAt.getTime(), row.id]);
}

function afterKey([at, id]: [number, string]) {
  const createdAt = new Date(at);
  return [{ createdAt: { gt: createdAt } }, { createdAt, id: { gt: id } }];
}

/** Revokes a key and returns its digest, by which caches know it; again: the same. Throws `api_key_not_found`. */
export async function revokeApiKey(
  database: Database,
  { projectId, keyId, now, actor }: { projectId: string; keyId: string; now: Instant; actor: Actor },
): Promise<Uint8Array> {
  return database.$transaction(async (tx) => {
    const { count } = await tx.apiKey.updateMany({
      where: { id: keyId, projectId, revokedAt: null },
      data: { revokedAt: new Date(now) },
    });
    const key = await tx.apiKey.findFirst({ where: { id: keyId, projectId } });
    if (key === null)
      throw new ServiceError('api_key_not_found', 'Use the key_id of an API key of this project.');
    if (count > 0)
      await writeAudit(tx, {
        actor,
        action: 'api_key.revoke',
        projectId,
        target: { type: 'api_key', id: keyId },
        change: { before: { prefix: key.prefix }, after: null },
      });
    return key.digest;
  });
}
