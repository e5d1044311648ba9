import { invalid } from '../errors.ts';
import { emit, emitChange } from '../events/emit.ts';
import { newId } from '../ids.ts';
import { refundObject } from '../objects/money-back.ts';
import type { Charge, PaymentIntent } from '../stripe-objects.ts';
import type { World } from '../world.ts';
import { creditInvoiceOf } from './collect.ts';
import { invoicePurchase } from './purchase-invoice.ts';

/** How long a card's authorisation holds. */
export const authorizationSeconds = 7 * 86_400;

function unexpectedState(intent: PaymentIntent, verb: string, wanted: string): Error {
  return invalid(
    `This PaymentIntent could not be ${verb} because it has a status of ${intent.status}. Only a PaymentIntent with one of the following statuses may be ${verb}: ${wanted}.`,
    undefined,
    'payment_intent_unexpected_state',
  );
}

function heldCharge(world: World, intent: PaymentIntent): Charge {
  return world.tables.charges.require(intent.latest_charge ?? '');
}

/** Takes the reserved money, or a part of it; the rest is the payer's again. */
export function capturePayment(
  world: World,
  intent: PaymentIntent,
  amount = intent.amount_capturable,
): PaymentIntent {
  if (intent.status !== 'requires_capture') throw unexpectedState(intent, 'captured', 'requires_capture');
  if (amount > intent.amount_capturable) {
    throw invalid(
      `The amount_to_capture (${amount}) is greater than the amount that can be captured (${intent.amount_capturable}).`,
      'amount_to_capture',
      'amount_too_large',
    );
  }
  const before = heldCharge(world, intent);
  const charge = world.tables.charges.update(before, {
    captured: true,
    amount_captured: amount,
    amount_refunded: before.amount - amount,
    balance_transaction: newId('txn'),
  });
  const paid = world.tables.paymentIntents.update(intent, {
    status: 'succeeded',
    amount_capturable: 0,
    amount_received: amount,
  });
  emitChange(world, 'charge.captured', { before, after: charge });
  emit(world, 'payment_intent.succeeded', paid);
  payWhatItBought(world, paid);
  return paid;
}

function payWhatItBought(world: World, intent: PaymentIntent): void {
  for (const session of world.tables.sessions.each()) {
    if (session.payment_intent !== intent.id) continue;
    const plan = world.tables.checkoutPlans.require(session.id);
    const customer = world.tables.customers.get(session.customer ?? '') ?? null;
    const invoice = invoicePurchase(world, { session, plan, customer, intent });
    world.tables.sessions.update(session, {
      payment_status: 'paid',
      ...(invoice === null ? {} : { invoice }),
    });
    break;
  }
  creditInvoiceOf(world, intent);
}

/** Gives the reserved money back. */
function releaseMoney(world: World, intent: PaymentIntent): void {
  const before = heldCharge(world, intent);
  const fields = { amount: before.amount, reason: null, metadata: {}, created: world.clock.now() };
  const refund = world.tables.refunds.insert(refundObject(before, fields));
  const after = world.tables.charges.update(before, { amount_refunded: before.amount, refunded: true });
  emit(world, 'refund.created', refund);
  emitChange(world, 'charge.refunded', { before, after });
}

const cancelable = [
  'requires_payment_method',
  'requires_capture',
  'requires_confirmation',
  'requires_action',
];

/** Ends a PaymentIntent that has not been paid; reserved money is given back. */
export function cancelPayment(
  world: World,
  intent: PaymentIntent,
  reason: PaymentIntent['cancellation_reason'],
): PaymentIntent {
  if (!cancelable.includes(String(intent.status))) {
    throw unexpectedState(intent, 'canceled', cancelable.join(', '));
  }
  if (intent.status === 'requires_capture') releaseMoney(world, intent);
  return markCanceled(world, intent, reason);
}

function markCanceled(
  world: World,
  intent: PaymentIntent,
  reason: PaymentIntent['cancellation_reason'],
): PaymentIntent {
  const canceled = world.tables.paymentIntents.update(intent, {
    status: 'canceled',
    amount_capturable: 0,
    canceled_at: world.clock.now(),
    cancellation_reason: reason,
    next_action: null,
  });
  emit(world, 'payment_intent.canceled', canceled);
  return canceled;
}

/** Nobody captured the money in time: the bank lets it go. */
export function expireAuthorization(world: World, intent: PaymentIntent): void {
  const before = heldCharge(world, intent);
  const after = world.tables.charges.update(before, { amount_refunded: before.amount, refunded: true });
  emitChange(world, 'charge.expired', { before, after });
  markCanceled(world, intent, 'automatic');
}
