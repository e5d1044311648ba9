import { z } from 'zod';
import { isId } from '../ids.ts';

/**
 * Where the user's id comes from: `metadata`, which only the seller writes, or `buyer_hint`, a `client_reference_id`,
 * which a buyer can type into a Payment Link.
 */
export type ClaimedUserSource = 'metadata' | 'buyer_hint';

/**
 * The owner that an object claims: project and user are claims of their own, as each may come from another object.
 * An assignment and our mapping of its customer take precedence. `userSource`: null also where an older version of the
 * service stored the claim, which kept no source.
 */
export type Claims = {
  projectId: string | null;
  userId: string | null;
  userSource: ClaimedUserSource | null;
};

export const noClaims: Claims = { projectId: null, userId: null, userSource: null };

/** The user that metadata names, else the one that the buyer hints at. */
export const userClaim = (
  metadataUserId: string | null,
  hintedUserId: string | null,
): Pick<Claims, 'userId' | 'userSource'> => {
  if (metadataUserId !== null) return { userId: metadataUserId, userSource: 'metadata' };
  return { userId: hintedUserId, userSource: hintedUserId === null ? null : 'buyer_hint' };
};

/** What our checkout writes into metadata: the buyer, and for a purchase what was bought. */
export type OwnMetadata = {
  claims: Claims;
  /** Our price id, or Stripe's. */
  priceId: string | null;
  quantity: number;
};

const usable = (value: unknown): string | null => (isId(value) ? value : null);

function quantityOf(value: unknown): number {
  return typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : 1;
}

/**
 * Reads our keys of an object's metadata. Anybody can write metadata in Stripe's dashboard: a value that is not
 * an id counts as absent, so that the rest of the object stays usable.
 */
export const ownMetadata = z
  .record(z.string(), z.unknown())
  .nullish()
  .transform((metadata): OwnMetadata => ({
    claims: {
      projectId: usable(metadata?.['project_id']),
      ...userClaim(usable(metadata?.['user_id']), null),
    },
    priceId: usable(metadata?.['price_id']),
    quantity: quantityOf(metadata?.['quantity']),
  }));
