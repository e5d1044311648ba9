import type { Claims } from '../stripe/claims.ts';
import type { Instant } from '../time.ts';
import type { SubscriptionRow } from './subscription-row.ts';

/**
 * Since when the row's project was claimed by a snapshot; null: another object claimed it. Older versions of the service
 * kept one moment for both claims, and no source.
 */
export const projectClaimedAt = ({
  projectClaimedAt: at,
  claimsAt,
  claims,
}: SubscriptionRow): Instant | null => at ?? (claims.userSource === null ? claimsAt : null);

const lesser = (a: string | null, b: string | null): string | null =>
  a === null || b === null ? (a ?? b) : a < b ? a : b;

/**
 * The claims of a session that names the subscription: they fill in what the subscription's own metadata leaves open,
 * metadata before a hint. Of several sessions the lesser counts, so that their order does not matter.
 */
function withSessionClaims(row: SubscriptionRow, claimed: Claims): SubscriptionRow {
  const { claims } = row;
  const projectId =
    projectClaimedAt(row) === null ? lesser(claims.projectId, claimed.projectId) : claims.projectId;
  const ofUser = { userId: claims.userId, userSource: claims.userSource };
  const ofSession = { userId: claimed.userId, userSource: claimed.userSource };
  return {
    ...row,
    claims: { projectId, ...(row.claimsAt === null ? strongerUser(ofUser, ofSession) : ofUser) },
  };
}

type UserClaim = Pick<Claims, 'userId' | 'userSource'>;

function strongerUser(stored: UserClaim, claimed: UserClaim): UserClaim {
  if (claimed.userId === null || stored.userId === null) return claimed.userId === null ? stored : claimed;
  if (stored.userSource !== claimed.userSource && stored.userSource !== null)
    return stored.userSource === 'metadata' ? stored : claimed;
  // Of a claim without a source the same session tells where it comes from.
  if (stored.userSource === null) return stored.userId === claimed.userId ? claimed : stored;
  return stored.userId < claimed.userId ? stored : claimed;
}

/** What a checkout session says of the subscription that it started. */
export type SessionClaims = { customerId: string | null; claims: Claims };

/** The row with what its session says, heard by an event or read from a list alike: in every order the same. */
export const withSession = (
  row: SubscriptionRow,
  { customerId, claims }: SessionClaims,
): SubscriptionRow => ({
  ...withSessionClaims(row, claims),
  customerId: row.customerId ?? customerId,
});
