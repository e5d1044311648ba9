import type { ItemChange } from '../billing/change-items.ts';
import { methodOfCustomer } from '../billing/payment-methods.ts';
import { invalid } from '../errors.ts';
import { mergeMetadata } from '../http/params.ts';
import { isMetered } from '../objects/catalog.ts';
import type { Customer, Price, SubscriptionItem } from '../stripe-objects.ts';
import type { World } from '../world.ts';
import { requireActive } from './prices.ts';
import type { CreateSubscription, ItemChangeParam, UpdateSubscription } from './subscription-params.ts';

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

function priceOfType(world: World, wanted: { id: string; type: Price['type'] }, param: string): Price {
  const price = world.tables.prices.require(wanted.id, param);
  if (price.type !== wanted.type) {
    throw invalid(
      `The price specified is set to \`type=${price.type}\` but this field only accepts prices with \`type=${wanted.type}\`.`,
      param,
    );
  }
  return price;
}

export function requirePrice(
  world: World,
  wanted: { id: string; type: Price['type'] },
  param: string,
): Price {
  const price = priceOfType(world, wanted, param);
  requireActive(price, param);
  return price;
}

/** A meter counts the quantity of a metered price: none is taken with it. */
export function requireUncounted(price: Price, quantity: number | undefined, param: string): Price {
  if (isMetered(price) && quantity !== undefined)
    throw invalid('The quantity parameter is not supported for metered prices.', param);
  return price;
}

export function checkTerms(params: CreateSubscription | UpdateSubscription, known: string): void {
  const method = params.collection_method ?? known;
  if (params.days_until_due !== undefined && method !== 'send_invoice') {
    throw invalid('days_until_due belongs to the collection method send_invoice.', 'days_until_due');
  }
}

/** One entry of `items`; `param` names it in an error. An item keeps its price also where that is archived. */
export function itemChange(
  world: World,
  known: readonly SubscriptionItem[],
  { item, param }: { item: ItemChangeParam; param: string },
): ItemChange {
  const nameOf = (field: string): string => (param === '' ? field : `${param}[${field}]`);
  const wanted =
    item.price === undefined
      ? null
      : priceOfType(world, { id: item.price, type: 'recurring' }, nameOf('price'));
  const before = known.find(({ id }) => id === item.id)?.price ?? null;
  if (wanted !== null && wanted.id !== before?.id) requireActive(wanted, nameOf('price'));
  const price = wanted ?? before;
  if (price !== null) requireUncounted(price, item.quantity, nameOf('quantity'));
  return {
    id: item.id ?? null,
    price: wanted,
    quantity: item.quantity ?? null,
    isDeleted: item.deleted ?? false,
    metadata: item.metadata === undefined ? null : mergeMetadata({}, item.metadata),
  };
}
