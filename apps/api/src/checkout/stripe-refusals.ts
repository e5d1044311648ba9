import { ServiceError } from '@billing/domain';
import { Stripe } from 'stripe';
import { stripeErrorOf } from './call-stripe.ts';

/** What Stripe refuses because of what it is asked, as a caller may know it. */
export type Refusal = {
  /** Of Stripe's request, such as `line_items[0][price]`; empty: Stripe names none. */
  param: string;
  /** Stripe's; null: it has none. */
  code: string | null;
  /** In our words: Stripe's own message may hold what a caller should not see. */
  why: string;
  /** The payer's card was declined. */
  isOfCard: boolean;
};

/** By Stripe's words, which have no codes; the first that fits. */
const reasons: readonly (readonly [RegExp, string])[] = [
  [/prior transactions|first[- ]time/i, 'is for a first purchase'],
  [/minimum amount/i, 'needs a larger purchase'],
  [/belongs? to another|another customer|different customer/i, 'is for another customer'],
  [/inactive|archived/i, 'is not active at Stripe'],
  [/currenc/i, 'is in another currency'],
  [/expired|already been redeemed|redemption|used up/i, 'has ended or is used up'],
  [/interval/i, 'is paid at another interval'],
];

const reasonsOfCodes: Readonly<Record<string, string>> = {
  resource_missing: 'is not known to Stripe',
  price_inactive: 'is not active at Stripe',
  amount_too_small: 'costs less than Stripe takes',
  amount_too_large: 'costs more than Stripe takes',
  email_invalid: 'is no e-mail address to Stripe',
};

function whyOf({ code, message }: Stripe.errors.StripeError): string {
  const known = reasonsOfCodes[code ?? ''] ?? reasons.find(([pattern]) => pattern.test(message))?.[1];
  if (known !== undefined) return known;
  return code === undefined ? 'is refused by Stripe' : `is refused by Stripe (${code})`;
}

/** Stripe's codes of requests that are built wrongly, which no caller can do anything about. */
const isOurFault = (code: string): boolean => code.startsWith('parameter');

/**
 * A definite refusal of Stripe's that is about what it was asked for; null: another error, such as one of the key, of a permission
 * or of the program.
 */
export function refusalOf(error: unknown): Refusal | null {
  if (!(error instanceof ServiceError) || error.code !== 'stripe_error') return null;
  const cause = stripeErrorOf(error);
  const isOfCard = cause instanceof Stripe.errors.StripeCardError;
  if (cause === null || !(isOfCard || cause instanceof Stripe.errors.StripeInvalidRequestError)) return null;
  const { param = '', code } = cause;
  if (isOurFault(code ?? '')) return null;
  return { param, code: code ?? null, why: whyOf(cause), isOfCard };
}

/** Stripe's names of what it refused, for people. */
export const namesOf = ({ param, code }: Refusal): string =>
  [code, param].filter((part) => part !== null && part !== '').join(', ') || 'no reason given';
