import { emit } from '../events/emit.ts';
import { newId } from '../ids.ts';
import type { HeldChange } from '../state/private-rows.ts';
import type { Invoice, Subscription, SubscriptionItem } from '../stripe-objects.ts';
import type { World } from '../world.ts';
import { attemptOnSession, isPayableAtOnce, recover } from './collect.ts';
import { heldSeconds } from './held-change.ts';
import { markPaid } from './invoice-payments.ts';
import { draftInvoice, finalizeInvoice, voidInvoice } from './invoices.ts';
import { changeSubscription, earliestPeriodEnd } from './subscription-changes.ts';

/** True if a change makes no invoice, or one that is paid as soon as it is tried. */
export function isPaidAtOnce(world: World, before: Subscription, change: () => void): boolean {
  return world.rehearse(() => {
    change();
    const { latest_invoice: latest } = world.tables.subscriptions.require(before.id);
    const invoice = latest === before.latest_invoice ? undefined : world.tables.invoices.get(latest ?? '');
    if (invoice === undefined || invoice.amount_due === 0 || invoice.status === 'draft') return true;
    return invoice.status !== 'open' && isPayableAtOnce(world, invoice);
  });
}

export type ToHold = {
  kind: HeldChange['kind'];
  change: Partial<Subscription>;
  /** Those that the invoice bills for a new period; it takes up the prorations that wait besides. */
  billed: SubscriptionItem[];
};

function expiryOf(world: World, before: Subscription): number {
  const now = world.clock.now();
  const ends = [before.trial_end ?? 0, earliestPeriodEnd(before.items.data)].filter((end) => end > now);
  return Math.min(now + heldSeconds, ...(before.status === 'paused' ? [] : ends));
}

function pendingUpdateOf(
  before: Subscription,
  { change }: ToHold,
  expiresAt: number,
): Subscription['pending_update'] {
  const anchor = change.billing_cycle_anchor;
  return {
    billing_cycle_anchor: anchor === undefined || anchor === before.billing_cycle_anchor ? null : anchor,
    cancel_at_period_end: null,
    discount: null,
    discounts: null,
    expires_at: expiresAt,
    metadata: null,
    subscription_items: change.items?.data ?? null,
    trial_end: null,
    trial_from_plan: null,
  };
}

/**
 * Bills a change and tries the card, but for an attempted resumption; the subscription stays as it is until the invoice is
 * paid.
 */
export function holdChange(world: World, before: Subscription, hold: ToHold): Invoice {
  const now = world.clock.now();
  const id = newId('in');
  const expiresAt = expiryOf(world, before);
  const { kind, change } = hold;
  world.tables.heldChanges.insert({ id: before.id, kind, invoice: id, expires_at: expiresAt, change });
  const waiting = changeSubscription(world, before.id, {
    latest_invoice: id,
    ...(kind === 'update' ? { pending_update: pendingUpdateOf(before, hold, expiresAt) } : {}),
  });
  const draft = draftInvoice(world, {
    id,
    subscription: { ...waiting, ...change },
    items: hold.billed,
    reason: 'subscription_update',
    period: { start: before.items.data[0]?.current_period_start ?? now, end: now },
  });
  const open = finalizeInvoice(world, draft);
  if (open.amount_due === 0) recover(world, markPaid(world, open));
  else if (kind !== 'attempted_resumption') attemptOnSession(world, open);
  return world.tables.invoices.require(id);
}

/** Gives up a change that waits for a payment: its invoice is voided. */
export function giveUpHeldChange(world: World, subscriptionId: string): void {
  const held = world.tables.heldChanges.get(subscriptionId);
  const invoice = world.tables.invoices.get(held?.invoice ?? '');
  if (invoice?.status === 'open') voidInvoice(world, invoice);
}

/** Nobody paid in time. */
export function expireHeldChange(world: World, held: HeldChange): void {
  giveUpHeldChange(world, held.id);
  if (held.kind !== 'update') return;
  emit(world, 'customer.subscription.pending_update_expired', world.tables.subscriptions.require(held.id));
}
