import { randomUUID } from 'node:crypto';
import { ServiceError } from '@billing/domain';
import type { GrantRequest, Instant, RevokeRequest } from '@billing/domain';
import { writeAudit } from './audit.ts';
import type { Actor } from './audit.ts';
import { getProject } from './catalog/projects.ts';
import { changeUser } from './change-user.ts';
import type { Changed } from './change-user.ts';
import type { Database } from './create-database.ts';
import type { Grant } from './generated/client.ts';

export type { Grant } from './generated/client.ts';

/** For the audit log. */
const boundsOf = ({ validFrom, validTo }: Pick<Grant, 'validFrom' | 'validTo'>) => ({
  valid_from: validFrom.toISOString(),
  valid_to: validTo?.toISOString() ?? null,
});

type By = { actor: Actor; now: Instant };

/** Gives a user a feature without a purchase. Throws `project_not_found`, and `invalid_request` for an end that is not after its start. */
export async function createGrant(
  database: Database,
  request: GrantRequest,
  { actor, now }: By,
): Promise<Changed<Grant>> {
  const { project_id: projectId, user_id: userId, feature_code: featureCode, reason } = request;
  const validFrom = request.valid_from ?? now;
  const validTo = request.valid_to ?? null;
  if (validTo !== null && validTo <= validFrom) throw endsTooEarly();
  await getProject(database, projectId);
  const id = `grant_${randomUUID().replaceAll('-', '')}`;
  return changeUser(database, { projectId, userId }, async (tx, userRef) => {
    const result = await tx.grant.create({
      data: {
        id,
        userRef,
        featureCode,
        validFrom: new Date(validFrom),
        validTo: validTo === null ? null : new Date(validTo),
        reason,
        grantedBy: actor.name,
        grantedAt: new Date(now),
      },
    });
    await writeAudit(tx, {
      actor,
      action: 'grant.create',
      projectId,
      target: { type: 'grant', id },
      reason,
      change: { before: null, after: { user_id: userId, feature_code: featureCode, ...boundsOf(result) } },
    });
    return { result, changed: true };
  });
}

const endsTooEarly = (): ServiceError =>
  new ServiceError('invalid_request', 'Choose a valid_to that is later than valid_from (default: now).', {
    errors: [{ path: 'valid_to', message: 'must be later than valid_from' }],
  });

/** Takes a grant back, if given only one in that project. Throws `grant_not_found`, `already_revoked`. */
export async function revokeGrant(
  database: Database,
  request: RevokeRequest & { onlyProject?: string | null },
  { actor, now }: By,
): Promise<Changed<Grant>> {
  const { grant_id: id, reason, onlyProject = null } = request;
  const known = await database.grant.findUnique({ where: { id }, include: { user: true } });
  if (known === null || (onlyProject !== null && known.user.projectId !== onlyProject))
    throw new ServiceError('grant_not_found', 'Use a grant_id that POST /grant gave.');
  const { projectId, userId } = known.user;
  return changeUser(database, { projectId, userId }, async (tx) => {
    const { count } = await tx.grant.updateMany({
      where: { id, revokedAt: null },
      data: { revokedAt: new Date(now), revokedBy: actor.name, revokeReason: reason },
    });
    if (count === 0)
      throw new ServiceError('already_revoked', 'Nothing is left to do: the grant is revoked.');
    await writeAudit(tx, {
      actor,
      action: 'grant.revoke',
      projectId,
      target: { type: 'grant', id },
      reason,
      change: {
        before: { user_id: userId, feature_code: known.featureCode, ...boundsOf(known) },
        after: null,
      },
    });
    return { result: await tx.grant.findUniqueOrThrow({ where: { id } }), changed: true };
  });
}
