import { emit } from '../events/emit.ts';
import { subscriptionOf } from '../objects/invoice.ts';
import type { HeldChange } from '../state/private-rows.ts';
import type { Invoice } from '../stripe-objects.ts';
import type { World } from '../world.ts';
import { changeSubscription, isEnded } from './subscription-changes.ts';

/** How long an invoice that holds a change can be paid: https://docs.stripe.com/billing/subscriptions/pending-updates-reference. */
export const heldSeconds = 23 * 3_600;

/** The change of a subscription that waits until this invoice is paid. */
export function heldBy(world: World, invoice: Invoice): HeldChange | undefined {
  const held = world.tables.heldChanges.get(subscriptionOf(invoice) ?? '');
  return held?.invoice === invoice.id ? held : undefined;
}

/** The invoice is paid: the subscription becomes what it was paid for. */
export function makeHeldChange(world: World, { id, kind, change }: HeldChange): void {
  world.tables.heldChanges.remove(id);
  const after = changeSubscription(world, id, { ...change, pending_update: null });
  const type = kind === 'update' ? 'pending_update_applied' : 'resumed';
  emit(world, `customer.subscription.${type}`, after);
}

/** The invoice can't be paid any more: the subscription stays as it is. */
export function dropHeldChange(world: World, { id }: HeldChange): void {
  world.tables.heldChanges.remove(id);
  if (isEnded(world.tables.subscriptions.require(id))) return;
  changeSubscription(world, id, { pending_update: null });
}
