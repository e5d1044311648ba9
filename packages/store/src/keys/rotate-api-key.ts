import { hourMs, ServiceError } from '@billing/domain';
import type { Instant, RotateApiKeyRequest } from '@billing/domain';
import { writeAudit } from '../audit.ts';
import type { Actor } from '../audit.ts';
import { lockProject } from '../change-user.ts';
import type { Database } from '../create-database.ts';
import { describeKey, hidden, newSecret } from './admin-api-keys.ts';
import type { ApiKeyRow } from './admin-api-keys.ts';

type Rotation = {
  projectId: string;
  keyId: string;
  request: RotateApiKeyRequest;
  now: Instant;
  actor: Actor;
};

export type RotatedKey = {
  key: ApiKeyRow;
  /** The new key itself: in this answer only. */
  secret: string;
  /** Of the old key, by which caches know it. */
  oldDigest: Uint8Array;
  oldEndsAt: Date;
};

const notActive = (): ServiceError =>
  new ServiceError('key_not_active', 'Create a new key: this one is revoked or has ended.');

/**
 * Makes a key with the rights of another one, which ends by itself after the overlap, never later than it would have.
 * Throws `project_not_found`, `api_key_not_found`, `key_not_active`.
 */
export async function rotateApiKey(database: Database, rotation: Rotation): Promise<RotatedKey> {
  const { projectId, keyId, request, now, actor } = rotation;
  const { secret, columns } = newSecret();
  return database.$transaction(async (tx) => {
    await lockProject(tx, projectId);
    const old = await tx.apiKey.findFirst({ where: { id: keyId, projectId } });
    if (old === null)
      throw new ServiceError('api_key_not_found', 'Use the key_id of an API key of this project.');
    const ownEnd = old.expiresAt?.getTime() ?? Infinity;
    const oldEndsAt = new Date(Math.min(ownEnd, Math.round(now + request.overlap_hours * hourMs)));
    // Two at once: only an end that is still the one that was read, and no revocation, may be replaced.
    const { count } = await tx.apiKey.updateMany({
      where: { id: keyId, revokedAt: null, expiresAt: old.expiresAt },
      data: { expiresAt: oldEndsAt },
    });
    if (old.revokedAt !== null || ownEnd <= now || count === 0) throw notActive();
    const { name, scopes, allowedIps, rateLimitPerSecond } = old;
    const expiresAt = request.expires_at === undefined ? null : new Date(request.expires_at);
    const key = await tx.apiKey.create({
      data: { ...columns, projectId, name, scopes, allowedIps, rateLimitPerSecond, expiresAt },
      omit: hidden,
    });
    await writeAudit(tx, {
      actor,
      action: 'api_key.rotate',
      projectId,
      target: { type: 'api_key', id: keyId },
      change: {
        before: null,
        after: { ends_at: oldEndsAt.toISOString(), new_key_id: key.id, ...describeKey(key) },
      },
    });
    return { key, secret, oldDigest: old.digest, oldEndsAt };
  });
}
