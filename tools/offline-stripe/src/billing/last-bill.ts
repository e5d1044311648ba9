import { isMetered } from '../objects/catalog.ts';
import type { World } from '../world.ts';
import { pendingItems } from './invoice-items.ts';
import { creditUnused } from './prorate.ts';
import { billItems } from './renew.ts';

export type LastBill = { prorate?: boolean | undefined; invoice_now?: boolean | undefined };

/** Before a subscription ends: `prorate` credits the rest of its period, `invoice_now` bills what waits for an invoice. */
export function billLast(world: World, subscriptionId: string, bill: LastBill): void {
  const subscription = world.tables.subscriptions.require(subscriptionId);
  if (bill.prorate === true && subscription.status !== 'trialing')
    creditUnused(world, subscription, world.clock.now());
  const waiting = pendingItems(world, { ...subscription, subscription: subscription.id });
  const isMeteredToo = subscription.items.data.some(({ price }) => isMetered(price));
  if (bill.invoice_now === true && (waiting.length > 0 || isMeteredToo))
    billItems(world, subscription, { items: [], reason: 'subscription_update', isLast: true });
}
