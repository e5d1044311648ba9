import { invalid } from '../errors.ts';
import { newId } from '../ids.ts';
import type { NewCheckoutSession } from '../objects/checkout-session.ts';
import type { CheckoutPlan } from '../state/private-rows.ts';
import type { CheckoutSession } from '../stripe-objects.ts';
import type { World } from '../world.ts';
import type { CreateSession } from './checkout-session-params.ts';

function checkPlace(params: CreateSession, isEmbedded: boolean): void {
  const mode = params.ui_mode ?? 'hosted_page';
  const [wrong] = isEmbedded
    ? (['success_url', 'cancel_url'] as const).filter((name) => params[name] !== undefined)
    : (['return_url', 'redirect_on_completion'] as const).filter((name) => params[name] !== undefined);
  if (wrong !== undefined)
    throw invalid(`You cannot use \`${wrong}\` when \`ui_mode\` is \`${mode}\`.`, wrong);
  const wanted = isEmbedded ? 'return_url' : 'success_url';
  const isNeeded = !isEmbedded || params.redirect_on_completion !== 'never';
  if (isNeeded && params[wanted] === undefined)
    throw invalid(`Missing required param: ${wanted}.`, wanted, 'parameter_missing');
  if (!isNeeded && params.return_url !== undefined)
    throw invalid('You cannot use `return_url` when `redirect_on_completion` is `never`.', 'return_url');
}

/** Where a session is shown: on a page of its own, or embedded in the seller's. */
export function placeOf(world: World, params: CreateSession, id: string): NewCheckoutSession['place'] {
  const isEmbedded = params.ui_mode === 'embedded_page';
  checkPlace(params, isEmbedded);
  if (!isEmbedded) {
    return {
      cancel_url: params.cancel_url ?? null,
      client_secret: null,
      success_url: params.success_url ?? null,
      ui_mode: 'hosted_page',
      url: `${world.publicUrl()}/c/pay/${id}`,
    };
  }
  return {
    cancel_url: null,
    client_secret: `${id}_secret_${newId('s').slice(2)}`,
    redirect_on_completion: params.redirect_on_completion ?? 'always',
    ...(params.return_url === undefined ? {} : { return_url: params.return_url }),
    success_url: null,
    ui_mode: 'embedded_page',
    url: null,
  };
}

function checkTaxes(world: World, params: CreateSession): void {
  const { customer: id, customer_update: update, tax_id_collection: taxIds, automatic_tax: tax } = params;
  if (update !== undefined && id === undefined)
    throw invalid('`customer_update` can only be used with `customer`.', 'customer_update');
  if (id === undefined) return;
  if (taxIds?.enabled === true && update?.name !== 'auto') {
    throw invalid(
      'Tax ID collection requires updating business name on the customer. To enable tax ID collection for an existing customer, please set `customer_update[name]` to `auto`.',
      'tax_id_collection',
    );
  }
  const hasAddress = (world.tables.customers.require(id, 'customer').address?.country ?? null) !== null;
  const isSaved = update?.address === 'auto' || update?.shipping === 'auto';
  if (tax?.enabled === true && !hasAddress && !isSaved) {
    throw invalid(
      "Automatic tax calculation in Checkout requires a valid address on the Customer. Add a valid address to the Customer or set either `customer_update[address]` to 'auto' or `customer_update[shipping]` to 'auto' to save the address entered in Checkout to the Customer.",
      'automatic_tax',
      'customer_tax_location_invalid',
    );
  }
}

/** Discounts, taxes, address, language: as asked for, or Stripe's refusal. */
export function choicesOf(world: World, params: CreateSession): Partial<CheckoutSession> {
  checkTaxes(world, params);
  const { automatic_tax: tax, tax_id_collection: taxIds } = params;
  return {
    allow_promotion_codes: params.allow_promotion_codes ?? null,
    billing_address_collection: params.billing_address_collection ?? null,
    locale: params.locale ?? null,
    ...(tax?.enabled === true
      ? {
          automatic_tax: {
            enabled: true,
            liability: { type: 'self' },
            provider: 'stripe',
            status: 'requires_location_inputs',
          },
        }
      : {}),
    ...(taxIds === undefined
      ? {}
      : { tax_id_collection: { enabled: taxIds.enabled, required: taxIds.required ?? 'never' } }),
  };
}

/** What the payer's data may change of a customer who was there before. */
export function customerUpdateOf(params: CreateSession): NonNullable<CheckoutPlan['customer_update']> {
  const { address, name } = params.customer_update ?? {};
  return { address: address === 'auto', name: name === 'auto' };
}
