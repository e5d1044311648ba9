import type { Life } from './life.ts';
import type { Invoice } from './stripe-objects.ts';

export type Sold = { price: string; quantity: number };

const unitAmounts: Record<string, number> = { price_once: 10_000, price_help: 2_000 };

export const amountOf = (sold: readonly Sold[]): number =>
  sold.reduce((sum, one) => sum + (unitAmounts[one.price] ?? 0) * one.quantity, 0);

/** The invoice that Stripe makes to record a session's payment. */
export function recordOf(life: Life, sold: readonly Sold[]): Invoice {
  const period = { start: life.now(), end: life.now() };
  return {
    id: life.newId('in'),
    customer: life.customer,
    metadata: {},
    subscription: null,
    subscriptionMetadata: {},
    status: 'paid',
    lines: sold.map((one) => ({
      id: life.newId('il'),
      item: null,
      ...one,
      isProration: false,
      amount: amountOf([one]),
      ...period,
    })),
    total: amountOf(sold),
    created: life.now(),
  };
}
