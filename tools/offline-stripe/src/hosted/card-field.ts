import { cardObject } from '../objects/payment-method.ts';
import type { PaymentMethod } from '../stripe-objects.ts';
import type { World } from '../world.ts';
import { escapeHtml } from './page.ts';

const testCard = '4242 4242 4242 4242';

/** The field in which a payer types the number of one of Stripe's test cards. */
export const cardField = `<p><label>Card number <input id="card-number" name="card_number" inputmode="numeric" autocomplete="off" value="${testCard}"></label></p>`;

/** The card of that number as a new payment method; undefined: no number of a card. */
export function cardOf(world: World, typed: unknown): PaymentMethod | undefined {
  const digits = typeof typed === 'string' ? typed.replaceAll(/\D/g, '') : '';
  if (!/^\d{13,19}$/.test(digits)) return undefined;
  const fields = { created: world.clock.now(), customer: null, last4: digits.slice(-4) };
  return world.tables.paymentMethods.insert(cardObject(fields));
}

/** What went wrong, for whoever looks at the page. */
export const problem = (message: string): string =>
  message === '' ? '' : `<p id="problem" role="alert">${escapeHtml(message)}</p>`;
