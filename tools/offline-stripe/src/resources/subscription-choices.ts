import { usableCoupon } from '../billing/discounts.ts';
import { methodOfCustomer } from '../billing/payment-methods.ts';
import { invalid } from '../errors.ts';
import { isMetered } from '../objects/catalog.ts';
import type { Coupon, Customer, Price } from '../stripe-objects.ts';
import type { World } from '../world.ts';
import { requireActive } from './prices.ts';
import type { CreateSubscription, UpdateSubscription } from './subscription-params.ts';

type Method = { customer: Customer; given: string | undefined };

/** The method that is named, or the customer's. */
export function methodFor(world: World, { customer, given }: Method): string | null {
  if (given === undefined) return customer.invoice_settings.default_payment_method ?? null;
  return methodOfCustomer(world, { customer: customer.id, id: given, param: 'default_payment_method' });
}

/** Stripe refuses a customer without a payment method; here one gets a card. */
export function newCard(world: World, customer: Customer): string {
  return methodOfCustomer(world, {
    customer: customer.id,
    id: 'pm_card_visa',
    param: 'default_payment_method',
  });
}

export function requirePrice(
  world: World,
  wanted: { id: string; type: Price['type'] },
  param: string,
): Price {
  const price = world.tables.prices.require(wanted.id, param);
  if (price.type !== wanted.type) {
    throw invalid(
      `The price specified is set to \`type=${price.type}\` but this field only accepts prices with \`type=${wanted.type}\`.`,
      param,
    );
  }
  requireActive(price, param);
  return price;
}

/** A meter counts the quantity of a metered price: none is taken with it. */
export function requireUncounted(price: Price, quantity: number | undefined, param: string): Price {
  if (isMetered(price) && quantity !== undefined)
    throw invalid('The quantity parameter is not supported for metered prices.', param);
  return price;
}

export function couponsOf(world: World, discounts: CreateSubscription['discounts']): Coupon[] {
  return (discounts ?? []).map(({ coupon }, index) =>
    usableCoupon(world, coupon, `discounts[${index}][coupon]`),
  );
}

export function checkTerms(params: CreateSubscription | UpdateSubscription, known: string): void {
  const method = params.collection_method ?? known;
  if (params.days_until_due !== undefined && method !== 'send_invoice') {
    throw invalid('days_until_due belongs to the collection method send_invoice.', 'days_until_due');
  }
}
