import { createStripeClient } from '@billing/platform';
import { checkoutAmountCents } from './write-project.ts';

export type StripeTarget = {
  readonly secretKey: string;
  readonly apiBase: string;
};

/** Makes the monthly price that checkouts buy, unless `known` still exists there. Returns its Stripe id. */
export async function makeStripePrice(
  { secretKey, apiBase }: StripeTarget,
  known: string | undefined,
): Promise<string> {
  const stripe = createStripeClient({ secretKey, apiBase });
  if (known !== undefined) {
    const isThere = await stripe.prices.retrieve(known).then(
      () => true,
      () => false,
    );
    if (isThere) return known;
  }
  const product = await stripe.products.create({ name: 'Load test plan' });
  const price = await stripe.prices.create({
    product: product.id,
    currency: 'usd',
    unit_amount: checkoutAmountCents,
    recurring: { interval: 'month' },
  });
  return price.id;
}
