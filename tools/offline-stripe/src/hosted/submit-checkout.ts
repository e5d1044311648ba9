import { enterPromotionCode, removePromotionCode } from '../billing/checkout-discounts.ts';
import type { LineChoice } from '../billing/checkout-lines.ts';
import { payCheckout } from '../billing/checkout.ts';
import type { Payer } from '../billing/payer-details.ts';
import { StripeApiError } from '../errors.ts';
import type { CheckoutSession } from '../stripe-objects.ts';
import type { World } from '../world.ts';
import { cardOf } from './card-field.ts';

/** The fields of a form, as strings. */
export type Form = ReadonlyMap<string, string>;

export function formOf(body: unknown): Form {
  const entries = typeof body === 'object' && body !== null ? Object.entries(body) : [];
  return new Map(
    entries.flatMap(([name, value]): [string, string][] =>
      typeof value === 'string' ? [[name, value.trim()]] : [],
    ),
  );
}

function choicesOf(form: Form): LineChoice[] {
  return [...form].flatMap(([name, value]) => {
    const [field, price] = name.split(' ');
    const quantity = Number(value);
    if (field !== 'quantity' || price === undefined || !Number.isSafeInteger(quantity)) return [];
    return [{ price, quantity }];
  });
}

/** An optional item of which nothing is wanted is no choice. */
function wantedChoices(world: World, session: CheckoutSession, form: Form): LineChoice[] {
  const lines = world.tables.checkoutPlans.get(session.id)?.line_items ?? [];
  return choicesOf(form).filter(
    ({ price, quantity }) => quantity > 0 || lines.some((line) => line.price?.id === price),
  );
}

function payerOf(form: Form): Payer {
  const given = (name: string): string | undefined => form.get(name) || undefined;
  const country = given('country')?.toUpperCase();
  const address = {
    city: given('city') ?? null,
    country: country ?? null,
    line1: given('line1') ?? null,
    line2: null,
    postal_code: given('postal_code') ?? null,
    state: null,
  };
  return {
    email: given('email'),
    name: given('name'),
    address: country === undefined ? undefined : address,
    taxId: given('tax_id'),
  };
}

function pay(world: World, session: CheckoutSession, form: Form): CheckoutSession {
  const typed = form.get('card_number');
  const attempt = (): CheckoutSession => {
    const method = typed === undefined ? undefined : cardOf(world, typed);
    if (typed !== undefined && method === undefined)
      throw new StripeApiError({ status: 402, message: 'Your card number is invalid.' });
    return payCheckout(world, session, {
      isDelayed: false,
      method: method?.card?.last4 === '4242' ? undefined : method,
      choices: wantedChoices(world, session, form),
      payer: payerOf(form),
    });
  };
  // A refused attempt leaves nothing behind: the payer tries again on the same page.
  world.rehearse(attempt);
  return attempt();
}

/** What the payer did on the page; a sentence where it was refused. */
export function submitCheckout(
  world: World,
  session: CheckoutSession,
  form: Form,
): { session: CheckoutSession; message: string } {
  try {
    switch (form.get('action')) {
      case 'apply_promotion_code':
        return { session: enterPromotionCode(world, session, form.get('promotion_code') ?? ''), message: '' };
      case 'remove_promotion_code':
        return { session: removePromotionCode(world, session), message: '' };
      case 'pay':
      case undefined:
      default:
        return { session: pay(world, session, form), message: '' };
    }
  } catch (error) {
    if (!(error instanceof StripeApiError)) throw error;
    return { session, message: error.message };
  }
}
