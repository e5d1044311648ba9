import { amountOf } from '../objects/catalog.ts';
import type { InvoiceItem, Subscription, SubscriptionItem } from '../stripe-objects.ts';
import type { World } from '../world.ts';
import { createInvoiceItem } from './invoice-items.ts';

/** The share of an amount that falls on what is left of the item's period. */
function shareLeft(item: SubscriptionItem, amount: number, at: number): number {
  const length = item.current_period_end - item.current_period_start;
  const left = Math.min(length, Math.max(0, item.current_period_end - at));
  return length <= 0 ? 0 : Math.round((amount * left) / length);
}

/** One proration, or none where nothing is left of the period. */
function proration(
  world: World,
  subscription: Subscription,
  { item, sign, at }: { item: SubscriptionItem; sign: 1 | -1; at: number },
): InvoiceItem[] {
  const quantity = item.quantity ?? 1;
  const amount = sign * shareLeft(item, amountOf(item.price, quantity), at);
  if (amount === 0) return [];
  const name = world.tables.products.get(item.price.product)?.name ?? item.price.id;
  const time = sign < 0 ? 'Unused time on' : 'Remaining time on';
  return [
    createInvoiceItem(world, {
      customer: subscription.customer,
      currency: subscription.currency,
      amount,
      quantity,
      description: `${time} ${quantity > 1 ? `${quantity} × ` : ''}${name} after ${new Date(at * 1000).toISOString().slice(0, 10)}`,
      metadata: {},
      period: { start: at, end: item.current_period_end },
      price: item.price,
      unitAmount: String(Number((amount / quantity).toFixed(12))),
      subscription: subscription.id,
      subscriptionItem: item.id,
      invoice: null,
    }),
  ];
}

function isSame(left: SubscriptionItem, right: SubscriptionItem | undefined): boolean {
  return right !== undefined && left.price.id === right.price.id && left.quantity === right.quantity;
}

function byId(list: SubscriptionItem[], id: string): SubscriptionItem | undefined {
  return list.find((item) => item.id === id);
}

/** Credits what is left of every item's period. */
export function creditUnused(world: World, subscription: Subscription, at: number): InvoiceItem[] {
  return subscription.items.data.flatMap((item) => proration(world, subscription, { item, sign: -1, at }));
}

/**
 * Credits the rest of the period of items that change or go, and charges it for items that change or come, as invoice
 * items that the next invoice takes up: https://docs.stripe.com/billing/subscriptions/prorations.
 */
export function prorate(
  world: World,
  before: Subscription,
  { items, at }: { items: SubscriptionItem[]; at: number },
): InvoiceItem[] {
  const old = before.items.data;
  return [
    ...old
      .filter((item) => !isSame(item, byId(items, item.id)))
      .flatMap((item) => proration(world, before, { item, sign: -1, at })),
    ...items
      .filter((item) => !isSame(item, byId(old, item.id)))
      .flatMap((item) => proration(world, before, { item, sign: 1, at })),
  ];
}
