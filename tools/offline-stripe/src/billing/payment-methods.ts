import { cardDeclined, invalid, noSuch } from '../errors.ts';
import { emit } from '../events/emit.ts';
import { cardObject } from '../objects/payment-method.ts';
import type { PaymentMethod } from '../stripe-objects.ts';
import type { World } from '../world.ts';

/** What a payment method does when it is charged, as Stripe's test cards and IBANs do. */
export type Behaviour =
  | 'succeeds'
  | 'is_declined'
  | 'needs_authentication'
  | 'is_disputed'
  | 'is_inquired'
  | 'takes_time'
  | 'fails_later';

/** Stripe's test cards (https://docs.stripe.com/testing): name after `pm_card_` or `tok_`, and last four digits. */
const testCards = new Map([
  ['visa', '4242'],
  ['mastercard', '4444'],
  ['amex', '8431'],
  ['bypassPending', '0077'],
  ['chargeDeclined', '0002'],
  ['visa_chargeDeclined', '0002'],
  ['chargeDeclinedInsufficientFunds', '9995'],
  ['visa_chargeDeclinedInsufficientFunds', '9995'],
  ['chargeCustomerFail', '0341'],
  ['authenticationRequired', '3184'],
  ['threeDSecure2Required', '3220'],
  ['threeDSecureRequired', '3063'],
  ['createDispute', '0259'],
  ['createDisputeInquiry', '1976'],
]);
const cardBehaviours: Record<string, Behaviour> = {
  '0002': 'is_declined',
  '9995': 'is_declined',
  '0341': 'is_declined',
  '3184': 'needs_authentication',
  '3220': 'needs_authentication',
  '3063': 'needs_authentication',
  '0259': 'is_disputed',
  '1976': 'is_inquired',
};
/** By country and last four characters. */
const failingAccounts = new Set(['AT3202', 'IT3456']);
/** Cards that cannot even be saved. */
const unsavableCards = new Set(['0002', '9995']);

export function behaviourOf(method: PaymentMethod | undefined): Behaviour {
  if (method?.type === 'sepa_debit') {
    const account = `${method.sepa_debit?.country ?? ''}${method.sepa_debit?.last4 ?? ''}`;
    return failingAccounts.has(account) ? 'fails_later' : 'takes_time';
  }
  return cardBehaviours[method?.card?.last4 ?? ''] ?? 'succeeds';
}

export function isDeclined(world: World, methodId: string | null): boolean {
  return behaviourOf(world.tables.paymentMethods.get(methodId ?? '')) === 'is_declined';
}

/** The last four digits of a test token such as `tok_visa` or `pm_card_visa`. */
export function testCardOf(token: string): string | undefined {
  return testCards.get(token.replace(/^(pm_card_|tok_)/, ''));
}

/** A payment method by its id; a test token such as `pm_card_visa` makes a new one. */
export function resolveMethod(world: World, id: string, param: string): PaymentMethod {
  const known = world.tables.paymentMethods.get(id);
  if (known !== undefined) return known;
  const last4 = id.startsWith('pm_card_') ? testCardOf(id) : undefined;
  if (last4 === undefined) throw noSuch('PaymentMethod', id, param);
  return world.tables.paymentMethods.insert(
    cardObject({ created: world.clock.now(), customer: null, last4 }),
  );
}

/** Saves a payment method for a customer. */
export function attachMethod(world: World, method: PaymentMethod, customer: string): PaymentMethod {
  if (method.customer === customer) return method;
  if (method.customer !== null) {
    throw invalid('The payment method you provided has already been attached to a customer.');
  }
  if (unsavableCards.has(method.card?.last4 ?? '')) throw cardDeclined();
  const attached = world.tables.paymentMethods.update(method, { customer });
  emit(world, 'payment_method.attached', attached);
  return attached;
}

/** The id of a customer's payment method; a test token is made and attached first. */
export function methodOfCustomer(
  world: World,
  { customer, id, param }: { customer: string; id: string; param: string },
): string {
  const method = resolveMethod(world, id, param);
  if (method.customer === customer) return method.id;
  const isToken = method.id !== id;
  if (!isToken) {
    throw invalid(
      `The customer does not have a payment method with the ID ${id}. The payment method must be attached to the customer.`,
      param,
      'resource_missing',
    );
  }
  return attachMethod(world, method, customer).id;
}
