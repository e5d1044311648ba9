import { askedItems, ServiceError } from '@billing/domain';
import type { CheckoutRequest, FieldProblem } from '@billing/domain';
import { namesOf, refusalOf } from './stripe-refusals.ts';
import type { Refusal } from './stripe-refusals.ts';

/** The fields of a request by which Stripe's parameters are made. */
const fieldOfParam: Readonly<Record<string, string>> = {
  automatic_tax: 'automatic_tax',
  customer_update: 'automatic_tax',
  tax_id_collection: 'tax_id_collection',
  invoice_creation: 'invoice_creation',
  allow_promotion_codes: 'allow_promotion_codes',
  billing_address_collection: 'billing_address_collection',
  payment_method_collection: 'payment_method_collection',
  locale: 'locale',
  ui_mode: 'ui_mode',
  success_url: 'success_url',
  cancel_url: 'cancel_url',
  return_url: 'return_url',
  expires_at: 'expires_in_seconds',
  'subscription_data[trial_end]': 'trial_end',
  'subscription_data[trial_period_days]': 'trial_days',
  'subscription_data[trial_settings]': 'trial_without_card',
  'subscription_data[metadata]': 'metadata',
  'payment_intent_data[metadata]': 'metadata',
  metadata: 'metadata',
  email: 'email',
};

const isOf = (param: string, name: string): boolean => param === name || param.startsWith(`${name}[`);

function fieldOf(param: string): string | null {
  const found = Object.entries(fieldOfParam).find(([name]) => isOf(param, name));
  return found?.[1] ?? null;
}

/** Whether it is the promotion code that Stripe refuses. */
export const isOfCode = ({ param }: Refusal): boolean => isOf(param, 'discounts');

/** Where the request names what Stripe does not sell; empty: Stripe does not say. */
function problemsOf(request: CheckoutRequest, { param, code, why }: Refusal): FieldProblem[] {
  if (isOf(param, 'customer')) return [{ path: 'user_id', message: `has a Stripe customer that ${why}` }];
  if (!isOf(param, 'line_items') && code?.startsWith('amount') !== true) return [];
  const index = /^line_items\[(\d+)\]/.exec(param)?.[1];
  const item = index === undefined ? undefined : askedItems(request)[Number(index)];
  if (item === undefined) return [{ path: request.items === undefined ? 'price_id' : 'items', message: why }];
  return [{ path: param.includes('quantity') ? item.quantityPath : item.path, message: why }];
}

const withErrors = (cause: unknown, errors: FieldProblem[]) => ({
  cause,
  ...(errors.length === 0 ? {} : { errors }),
});

/** What a caller is told where Stripe refuses a sale: which field, and why. Another error stays as it is. */
export function toSaleRefusal(error: unknown, request: CheckoutRequest): unknown {
  const refusal = refusalOf(error);
  if (refusal === null || !(error instanceof ServiceError)) return error;
  const { cause } = error;
  const { param, why } = refusal;
  if (isOfCode(refusal))
    return new ServiceError(
      'promotion_code_not_redeemable',
      'Sell without the code, or offer another one.',
      withErrors(cause, [{ path: 'promotion_code', message: why }]),
    );
  const field = fieldOf(param);
  if (field !== null)
    return new ServiceError(
      'invalid_request',
      "Correct the field that `errors` names, which may come from the project's checkout_defaults.",
      withErrors(cause, [{ path: field, message: why }]),
    );
  return new ServiceError(
    'stripe_error',
    `Stripe does not sell this (${namesOf(refusal)}): correct the price, in the catalog or at Stripe, or the settings of the Stripe account.`,
    withErrors(cause, problemsOf(request, refusal)),
  );
}
