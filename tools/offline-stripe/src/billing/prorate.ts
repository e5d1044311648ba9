import { amountOf } from '../objects/catalog.ts';
import type { Discount, InvoiceItem, Subscription, SubscriptionItem } from '../stripe-objects.ts';
import type { World } from '../world.ts';
import { uncreditedDebits, type Debit } from './debits.ts';
import { couponOf, discountsInForce, takeOff } from './discounts.ts';
import { createInvoiceItem } from './invoice-items.ts';

/** The share of an amount that falls on what is left of its period, by the second. */
function shareLeft({ amount, period }: Pick<Debit, 'amount' | 'period'>, at: number): number {
  const length = period.end - period.start;
  const left = Math.min(length, Math.max(0, period.end - at));
  return length <= 0 ? 0 : Math.round((amount * left) / length);
}

const days = new Intl.DateTimeFormat('en-GB', {
  day: '2-digit',
  month: 'short',
  year: 'numeric',
  timeZone: 'UTC',
});

type Proration = {
  item: SubscriptionItem;
  quantity: number;
  amount: number;
  period: { start: number; end: number };
  credited: Debit['credited'] | null;
};

function describe(world: World, { item, quantity, amount, period }: Proration): string {
  const name = world.tables.products.get(item.price.product)?.name ?? item.price.id;
  const time = amount < 0 ? 'Unused time on' : 'Remaining time on';
  const date = days.format(new Date(period.start * 1000)).replace('Sept', 'Sep');
  return `${time} ${quantity > 1 ? `${quantity} × ` : ''}${name} after ${date}`;
}

/** One proration, or none where it would cost nothing. */
function makeProration(world: World, subscription: Subscription, proration: Proration): InvoiceItem[] {
  const { item, quantity, amount, period, credited } = proration;
  if (amount === 0) return [];
  return [
    createInvoiceItem(world, {
      customer: subscription.customer,
      currency: subscription.currency,
      amount,
      quantity,
      description: describe(world, proration),
      metadata: {},
      period,
      price: item.price,
      unitAmount: String(Number((amount / quantity).toFixed(12))),
      subscription: subscription.id,
      proration: { subscriptionItem: item.id, credited },
      invoice: null,
    }),
  ];
}

function credit(world: World, subscription: Subscription, item: SubscriptionItem, at: number): InvoiceItem[] {
  const quantity = Math.max(1, item.quantity ?? 1);
  return uncreditedDebits(world, subscription, { item, at }).flatMap((debit) =>
    makeProration(world, subscription, {
      item,
      quantity,
      amount: -shareLeft(debit, at),
      period: { start: Math.max(at, debit.period.start), end: debit.period.end },
      credited: debit.credited,
    }),
  );
}

/** What each item costs for a whole period, less its part of the discounts. */
function netAmounts(
  world: World,
  items: readonly SubscriptionItem[],
  discounts: readonly Discount[],
): number[] {
  let amounts = items.map((item) => amountOf(item.price, item.quantity ?? 1));
  for (const discount of discounts) {
    const coupon = couponOf(world, discount);
    if (coupon === undefined) continue;
    const off = takeOff(coupon, amounts);
    amounts = amounts.map((amount, index) => Math.max(0, amount - (off[index] ?? 0)));
  }
  return amounts;
}

function isSame(left: SubscriptionItem, right: SubscriptionItem | undefined): boolean {
  return right !== undefined && left.price.id === right.price.id && left.quantity === right.quantity;
}

function byId(list: SubscriptionItem[], id: string): SubscriptionItem | undefined {
  return list.find((item) => item.id === id);
}

/** Credits what is left of every item's period. */
export function creditUnused(world: World, subscription: Subscription, at: number): InvoiceItem[] {
  return subscription.items.data.flatMap((item) => credit(world, subscription, item, at));
}

/**
 * Credits the rest of the period of items that change or go, and charges it for items that change or come, as invoice
 * items that the next invoice takes up: https://docs.stripe.com/billing/subscriptions/prorations. Discounts are included
 * in their amounts.
 */
export function prorate(
  world: World,
  before: Subscription,
  { after, at }: { after: Subscription; at: number },
): InvoiceItem[] {
  const old = before.items.data;
  const items = after.items.data;
  const amounts = netAmounts(world, items, discountsInForce(world, after));
  const credits = old
    .filter((item) => !isSame(item, byId(items, item.id)))
    .flatMap((item) => credit(world, before, item, at));
  const debits = items.flatMap((item, index) => {
    if (isSame(item, byId(old, item.id))) return [];
    const whole = { start: item.current_period_start, end: item.current_period_end };
    return makeProration(world, before, {
      item,
      quantity: Math.max(1, item.quantity ?? 1),
      amount: shareLeft({ amount: amounts[index] ?? 0, period: whole }, at),
      period: { start: at, end: whole.end },
      credited: null,
    });
  });
  return [...credits, ...debits];
}
