import { cardDeclined, invalid } from '../errors.ts';
import type { PaymentIntent } from '../stripe-objects.ts';
import type { World } from '../world.ts';
import { creditInvoiceOf } from './collect.ts';
import { openDispute } from './money-back.ts';
import { behaviourOf, type Behaviour } from './payment-methods.ts';
import { attemptPayment, type PaymentOutcome } from './payments.ts';

const confirmable = ['requires_payment_method', 'requires_confirmation', 'requires_action'];

function outcomeOf(intent: PaymentIntent, behaviour: Behaviour): PaymentOutcome {
  if (behaviour === 'is_declined') return 'failed';
  if (behaviour === 'needs_authentication') return 'requires_action';
  if (behaviour === 'takes_time' || behaviour === 'fails_later') return 'processing';
  return intent.capture_method === 'manual' ? 'authorized' : 'succeeded';
}

/** The bank of a test card that is made for it takes the money back at once, or only asks. */
export function disputeAsTheCardSays(world: World, intent: PaymentIntent): void {
  const behaviour = behaviourOf(world.tables.paymentMethods.get(intent.payment_method ?? ''));
  const charge = world.tables.charges.get(intent.latest_charge ?? '');
  if (charge === undefined || (behaviour !== 'is_disputed' && behaviour !== 'is_inquired')) return;
  const status = behaviour === 'is_disputed' ? 'needs_response' : 'warning_needs_response';
  openDispute(world, charge, { amount: charge.amount, reason: 'fraudulent', status });
}

/** One attempt to pay as the payment method behaves. */
export function tryPayment(world: World, intent: PaymentIntent): PaymentIntent {
  const behaviour = behaviourOf(world.tables.paymentMethods.get(intent.payment_method ?? ''));
  const tried = attemptPayment(world, intent, outcomeOf(intent, behaviour));
  if (tried.status !== 'succeeded') return tried;
  disputeAsTheCardSays(world, tried);
  creditInvoiceOf(world, tried);
  return world.tables.paymentIntents.require(tried.id);
}

/** Throws Stripe's 402 after the attempt where the card is declined. */
export function confirmPayment(world: World, intent: PaymentIntent): PaymentIntent {
  if (!confirmable.includes(String(intent.status))) {
    throw invalid(
      `This PaymentIntent's status is ${intent.status}, so it cannot be confirmed.`,
      undefined,
      'payment_intent_unexpected_state',
    );
  }
  if (intent.payment_method === null) {
    throw invalid(
      "You cannot confirm this PaymentIntent because it's missing a payment method. You can either update the PaymentIntent with a payment method and then confirm it again, or confirm it again directly with a payment method or ConfirmationToken.",
      undefined,
      'payment_intent_unexpected_state',
    );
  }
  const method = world.tables.paymentMethods.get(intent.payment_method);
  const type = String(method?.type ?? 'card');
  if (!intent.payment_method_types.includes(type)) {
    throw invalid(
      `The PaymentMethod provided (${type}) is not allowed for this PaymentIntent. Please attach a PaymentMethod of one of the following types: ${intent.payment_method_types.join(', ')}.`,
      'payment_method',
    );
  }
  const tried = tryPayment(world, intent);
  if (tried.status !== 'requires_payment_method') return tried;
  throw cardDeclined({ charge: tried.latest_charge, payment_intent: tried, payment_method: method });
}
