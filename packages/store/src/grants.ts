import { randomUUID } from 'node:crypto';
import { featureOf, ServiceError } from '@billing/domain';
import type { GrantRequest, Instant, RevokeRequest } from '@billing/domain';
import type { Actor } from './audit.ts';
import { readFeatures } from './catalog/features.ts';
import { changeUser, shareProject } from './change-user.ts';
import type { Changed } from './change-user.ts';
import type { Database, Queries } from './create-database.ts';
import type { Grant } from './generated/client.ts';

export type { Grant } from './generated/client.ts';

/** For the audit log. */
const boundsOf = ({ validFrom, validTo }: Pick<Grant, 'validFrom' | 'validTo'>) => ({
  valid_from: validFrom.toISOString(),
  valid_to: validTo?.toISOString() ?? null,
});

/** How much it gives; absent: the feature is boolean. Null: unlimited. */
export const amountOf = ({
  amount,
  isUnlimited,
}: Pick<Grant, 'amount' | 'isUnlimited'>): { amount?: number | null } => {
  if (isUnlimited) return { amount: null };
  return amount === null ? {} : { amount: Number(amount) };
};

const wrongAmount = (message: string): ServiceError =>
  new ServiceError('invalid_request', 'Send an amount for a limit or metered feature, and for no other.', {
    errors: [{ path: 'amount', message }],
  });

/** The columns of the amount. Throws `invalid_request` where the feature needs one, or takes none. */
async function amountColumns(
  tx: Queries,
  { project_id: projectId, feature_code: featureCode, amount }: GrantRequest,
): Promise<Pick<Grant, 'amount' | 'isUnlimited'>> {
  // What the code stands for must not change meanwhile.
  await shareProject(tx, projectId);
  const { kind } = featureOf(await readFeatures(tx, projectId, [featureCode]), featureCode);
  if (kind === 'boolean' && amount !== undefined)
    throw wrongAmount('is for limits and metered features only');
  if (kind !== 'boolean' && amount === undefined)
    throw wrongAmount(`is required, as the feature is ${kind === 'limit' ? 'a limit' : 'metered'}`);
  return { amount: BigInt(amount ?? 0) || null, isUnlimited: amount === null };
}

type By = { actor: Actor; now: Instant };

/**
 * Gives a user a feature without a purchase. Throws `project_not_found`, and `invalid_request` for an end that is not after
 * its start, and for an amount that the feature does not take, or lacks.
 */
export async function createGrant(
  database: Database,
  request: GrantRequest,
  { actor, now }: By,
): Promise<Changed<Grant>> {
  const { project_id: projectId, user_id: userId, feature_code: featureCode, reason } = request;
  const validFrom = request.valid_from ?? now;
  const validTo = request.valid_to ?? null;
  if (validTo !== null && validTo <= validFrom) throw endsTooEarly();
  const id = `grant_${randomUUID().replaceAll('-', '')}`;
  return changeUser(database, { projectId, userId }, async (tx, userRef) => {
    const result = await tx.grant.create({
      data: {
        id,
        userRef,
        featureCode,
        ...(await amountColumns(tx, request)),
        validFrom: new Date(validFrom),
        validTo: validTo === null ? null : new Date(validTo),
        reason,
        grantedBy: actor.name,
        grantedAt: new Date(now),
      },
    });
    const after = { user_id: userId, feature_code: featureCode, ...amountOf(result), ...boundsOf(result) };
    const target = { type: 'grant', id } as const;
    const change = { before: null, after };
    return {
      result,
      changed: true,
      cause: `granted:${id}`,
      audit: { actor, action: 'grant.create', projectId, target, reason, change },
    };
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
    const before = {
      user_id: userId,
      feature_code: known.featureCode,
      ...amountOf(known),
      ...boundsOf(known),
    };
    const target = { type: 'grant', id } as const;
    const change = { before, after: null };
    return {
      result: await tx.grant.findUniqueOrThrow({ where: { id } }),
      changed: true,
      cause: `revoked:${id}`,
      audit: { actor, action: 'grant.revoke', projectId, target, reason, change },
    };
  });
}
