import { randomUUID } from 'node:crypto';
import { ServiceError } from '@billing/domain';
import type { GrantRequest, Instant, RevokeRequest } from '@billing/domain';
import type { Actor } from './audit.ts';
import { changeUser } from './change-user.ts';
import type { Changed } from './change-user.ts';
import type { Database, Queries } from './create-database.ts';
import { Prisma } from './generated/client.ts';
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

const kindOf = (projectId: string, featureCode: string): Prisma.Sql => Prisma.sql`
  coalesce((SELECT kind FROM public.features WHERE project_id = ${projectId} AND feature_code = ${featureCode}), 'boolean')`;

/** Why a feature's grant was not written: it needs an amount, or takes none. */
async function readWrongAmount(tx: Queries, request: GrantRequest): Promise<ServiceError> {
  const kinds = await tx.$queryRaw<{ kind: string }[]>`
    SELECT ${kindOf(request.project_id, request.feature_code)} AS kind`;
  const isLimit = kinds[0]?.kind === 'limit';
  return request.amount === undefined
    ? wrongAmount(`is required, as the feature is ${isLimit ? 'a limit' : 'metered'}`)
    : wrongAmount('is for limits and metered features only');
}

/**
 * Writes a grant in a statement of our own: hundreds a second take few round trips, also in a process that has just begun. The
 * project is locked: what its codes stand for stays. Throws `invalid_request` where the feature needs an amount, or takes none.
 */
async function insertGrant(tx: Queries, grant: Grant, request: GrantRequest): Promise<void> {
  const { id, userRef, featureCode, amount, isUnlimited, validFrom, validTo } = grant;
  const written = await tx.$executeRaw`
    INSERT INTO public.grants (id, user_ref, feature_code, amount, is_unlimited, valid_from, valid_to, reason, granted_by, granted_at)
    SELECT ${id}::text, ${userRef}::bigint, ${featureCode}::text, ${amount}::bigint, ${isUnlimited}::boolean,
      ${validFrom}::timestamptz, ${validTo}::timestamptz, ${grant.reason}::text, ${grant.grantedBy}::text, ${grant.grantedAt}::timestamptz
    WHERE (${kindOf(request.project_id, featureCode)} = 'boolean') = ${request.amount === undefined}::boolean`;
  if (written === 0) throw await readWrongAmount(tx, request);
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
    const result: Grant = {
      id,
      userRef,
      featureCode,
      amount: BigInt(request.amount ?? 0) || null,
      isUnlimited: request.amount === null,
      validFrom: new Date(validFrom),
      validTo: validTo === null ? null : new Date(validTo),
      reason,
      grantedBy: actor.name,
      grantedAt: new Date(now),
      revokedAt: null,
      revokedBy: null,
      revokeReason: null,
    };
    await insertGrant(tx, result, request);
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
