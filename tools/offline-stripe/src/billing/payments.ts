import { emit } from '../events/emit.ts';
import { chargeObject, paymentIntentObject, type NewPayment } from '../objects/payment.ts';
import type { Charge, PaymentIntent } from '../stripe-objects.ts';
import type { World } from '../world.ts';

/** `authorized`: the money is reserved until it is captured. */
export type PaymentOutcome = 'succeeded' | 'failed' | 'processing' | 'authorized' | 'requires_action';

/** Makes a PaymentIntent that waits for a payment method. */
export function openPaymentIntent(world: World, fields: Omit<NewPayment, 'created'>): PaymentIntent {
  const intent = world.tables.paymentIntents.insert(
    paymentIntentObject({ ...fields, created: world.clock.now() }),
  );
  emit(world, 'payment_intent.created', intent);
  return intent;
}

function succeed(world: World, intent: PaymentIntent, charge: Charge): PaymentIntent {
  const paid = world.tables.paymentIntents.update(intent, {
    status: 'succeeded',
    amount_received: intent.amount,
    latest_charge: charge.id,
    amount_capturable: 0,
    last_payment_error: null,
    next_action: null,
    processing: null,
  });
  emit(world, 'payment_intent.succeeded', paid);
  emit(world, 'charge.succeeded', charge);
  return paid;
}

function decline(world: World, intent: PaymentIntent, charge: Charge): PaymentIntent {
  const failed = world.tables.paymentIntents.update(intent, {
    status: 'requires_payment_method',
    latest_charge: charge.id,
    payment_method: null,
    processing: null,
    last_payment_error: {
      charge: charge.id,
      code: 'card_declined',
      decline_code: 'generic_decline',
      message: 'Your card was declined.',
      type: 'card_error',
    },
  });
  emit(world, 'charge.failed', charge);
  emit(world, 'payment_intent.payment_failed', failed);
  return failed;
}

/** The payer's bank wants to hear from the payer first. */
function askPayer(world: World, intent: PaymentIntent): PaymentIntent {
  const waiting = world.tables.paymentIntents.update(intent, {
    status: 'requires_action',
    next_action: { type: 'use_stripe_sdk', use_stripe_sdk: {} },
  });
  emit(world, 'payment_intent.requires_action', waiting);
  return waiting;
}

function authorize(world: World, intent: PaymentIntent): PaymentIntent {
  const charge = world.tables.charges.insert({
    ...chargeObject(intent, 'succeeded', world.clock.now()),
    amount_captured: 0,
    balance_transaction: null,
    captured: false,
  });
  const held = world.tables.paymentIntents.update(intent, {
    status: 'requires_capture',
    amount_capturable: intent.amount,
    latest_charge: charge.id,
    last_payment_error: null,
    next_action: null,
  });
  emit(world, 'charge.succeeded', charge);
  emit(world, 'payment_intent.amount_capturable_updated', held);
  return held;
}

/** One attempt to collect a PaymentIntent. `processing` is a bank debit whose money is still on its way. */
export function attemptPayment(world: World, intent: PaymentIntent, outcome: PaymentOutcome): PaymentIntent {
  const now = world.clock.now();
  const { charges, paymentIntents } = world.tables;
  if (outcome === 'processing') {
    const charge = charges.insert(chargeObject(intent, 'pending', now));
    const processing = paymentIntents.update(intent, { status: 'processing', latest_charge: charge.id });
    emit(world, 'charge.pending', charge);
    emit(world, 'payment_intent.processing', processing);
    return processing;
  }
  if (outcome === 'requires_action') return askPayer(world, intent);
  if (outcome === 'authorized') return authorize(world, intent);
  const charge = charges.insert(chargeObject(intent, outcome, now));
  return outcome === 'succeeded' ? succeed(world, intent, charge) : decline(world, intent, charge);
}

/** The money of a processing PaymentIntent arrives or not, and its pending charge becomes final. */
export function completeDelayedPayment(
  world: World,
  intent: PaymentIntent,
  outcome: 'succeeded' | 'failed',
): PaymentIntent {
  const { charges } = world.tables;
  const pending = intent.latest_charge === null ? undefined : charges.get(intent.latest_charge);
  if (pending === undefined) return attemptPayment(world, intent, outcome);
  const final = chargeObject(intent, outcome, pending.created);
  const charge = charges.update(pending, { ...final, id: pending.id });
  return outcome === 'succeeded' ? succeed(world, intent, charge) : decline(world, intent, charge);
}
