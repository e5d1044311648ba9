import { emit } from '../events/emit.ts';
import { newId } from '../ids.ts';
import type { Patch } from '../state/table.ts';
import type { Subscription, SubscriptionItem } from '../stripe-objects.ts';
import type { World } from '../world.ts';
import { addIntervals, periodEndAfter } from './calendar.ts';
import { attemptInvoice, changeDunning, payInvoice } from './collect.ts';
import { draftSeconds, meteredLines } from './meters.ts';
import { draftInvoice, finalizeInvoice, markUncollectible, voidInvoice } from './invoices.ts';
import { changeSubscription, endSubscription, withItems } from './subscription-changes.ts';

export type Billed = {
  items: SubscriptionItem[];
  reason: 'subscription_cycle' | 'subscription_update';
  /** What else changes in the same update. */
  patch?: Patch<Subscription>;
  /** The subscription ends: its metered items are billed up to now. */
  isLast?: boolean;
};

/** Moves items into the given periods, invoices them and collects the invoice, as `pause_collection` allows. */
export function billItems(world: World, before: Subscription, billed: Billed): void {
  const invoiceId = newId('in');
  const now = world.clock.now();
  const renewed = new Map(billed.items.map((item) => [item.id, item]));
  const items = before.items.data.map((item) => renewed.get(item.id) ?? item);
  const counted = billed.isLast === true ? items : before.items.data.filter((item) => renewed.has(item.id));
  const usage = meteredLines(world, before, { items: counted, invoice: invoiceId, until: now });
  const subscription = changeSubscription(world, before.id, {
    ...withItems(before, items),
    latest_invoice: invoiceId,
    ...billed.patch,
  });
  const draft = draftInvoice(world, {
    id: invoiceId,
    subscription,
    items: billed.items,
    reason: billed.reason,
    period: { start: before.items.data[0]?.current_period_start ?? now, end: now },
    usage,
    finalizesAt: usage.length === 0 ? null : now + draftSeconds,
  });
  if (draft.automatically_finalizes_at !== null) return;
  const pause = subscription.pause_collection?.behavior;
  if (pause === 'keep_as_draft' || subscription.status === 'unpaid') return;
  const open = finalizeInvoice(world, draft);
  if (pause === 'void') voidInvoice(world, open);
  else if (pause === 'mark_uncollectible') markUncollectible(world, open);
  else if (subscription.collection_method === 'charge_automatically') attemptInvoice(world, open);
  else if (open.amount_due === 0) payInvoice(world, open);
  else emit(world, 'invoice.sent', open);
}

/** Moves every item whose period is over to its next period, and bills it. */
export function renew(world: World, subscription: Subscription): void {
  const now = world.clock.now();
  const due = subscription.items.data
    .filter((item) => item.current_period_end <= now)
    .map((item) => ({
      ...item,
      current_period_start: item.current_period_end,
      current_period_end: periodEndAfter(
        subscription.billing_cycle_anchor,
        item.price.recurring,
        item.current_period_end,
      ),
    }));
  billItems(world, subscription, { items: due, reason: 'subscription_cycle' });
}

/** Items whose period starts now, for a new billing anchor. */
export function restartPeriods(items: SubscriptionItem[], now: number): SubscriptionItem[] {
  return items.map((item) => ({
    ...item,
    current_period_start: now,
    current_period_end: addIntervals(now, item.price.recurring, 1),
  }));
}

/** Trial over: billed and active; without a payment method as `missing_payment_method` says. */
export function endTrial(world: World, subscription: Subscription): void {
  const now = world.clock.now();
  const customer = world.tables.customers.get(subscription.customer);
  const hasMethod =
    subscription.default_payment_method !== null ||
    (customer?.invoice_settings.default_payment_method ?? null) !== null;
  const missing = subscription.trial_settings?.end_behavior.missing_payment_method ?? 'create_invoice';
  if (!hasMethod && missing === 'cancel') {
    endSubscription(world, subscription.id, 'payment_failed');
    return;
  }
  if (!hasMethod && missing === 'pause') {
    const paused = changeSubscription(world, subscription.id, { status: 'paused', trial_end: now });
    emit(world, 'customer.subscription.paused', paused);
    return;
  }
  billItems(world, subscription, {
    items: restartPeriods(subscription.items.data, now),
    reason: subscription.trial_end === now ? 'subscription_cycle' : 'subscription_update',
    patch: { status: 'active', trial_end: now, billing_cycle_anchor: now },
  });
}

/** Emitted once, three days before a trial's end. */
export function announceTrialEnd(world: World, subscription: Subscription): void {
  changeDunning(world, subscription.id, { trial_will_end_sent: true });
  emit(world, 'customer.subscription.trial_will_end', subscription);
}

/** Ends an `incomplete` subscription that was not paid within 23 hours. */
export function expireIncomplete(world: World, subscription: Subscription): void {
  const invoice = world.tables.invoices.get(subscription.latest_invoice ?? '');
  changeSubscription(world, subscription.id, { status: 'incomplete_expired', ended_at: world.clock.now() });
  if (invoice?.status === 'open') voidInvoice(world, invoice);
}
