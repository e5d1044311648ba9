import { z } from 'zod';
import { isId } from '../ids.ts';

/** The owner that an object claims, by metadata. Our own mapping of its customer takes precedence. */
export type Claims = { projectId: string | null; userId: string | null };

export const noClaims: Claims = { projectId: null, userId: null };

export const hasClaims = ({ projectId, userId }: Claims): boolean => projectId !== null || userId !== null;

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
    claims: { projectId: usable(metadata?.['project_id']), userId: usable(metadata?.['user_id']) },
    priceId: usable(metadata?.['price_id']),
    quantity: quantityOf(metadata?.['quantity']),
  }));
