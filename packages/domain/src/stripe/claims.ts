import { z } from 'zod';
import { isId } from '../ids.ts';

/** Who an object says it belongs to. Our own mapping of the customer goes before it. */
export type Claims = { projectId: string | null; userId: string | null };

export const noClaims: Claims = { projectId: null, userId: null };

/** What checkout writes into an object's metadata: the buyer, and for a purchase what was bought. */
export type OwnMetadata = {
  claims: Claims;
  /** Our price id, or Stripe's. */
  priceId: string | null;
  quantity: number;
};

const usable = (value: unknown): string | null => (isId(value) ? value : null);

function quantityOf(value: unknown): number {
  const parsed = typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : 1;
  return Math.max(1, parsed);
}

/**
 * Our keys of an object's metadata. Anybody can write metadata in Stripe's dashboard: what is no id counts
 * as not said, and never makes the rest of the object unusable.
 */
export const ownMetadata = z
  .record(z.string(), z.unknown())
  .nullish()
  .transform((metadata): OwnMetadata => ({
    claims: { projectId: usable(metadata?.['project_id']), userId: usable(metadata?.['user_id']) },
    priceId: usable(metadata?.['price_id']),
    quantity: quantityOf(metadata?.['quantity']),
  }));
