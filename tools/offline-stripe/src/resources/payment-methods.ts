import { z } from 'zod';

import { attachMethod, resolveMethod, testCardOf } from '../billing/payment-methods.ts';
import { invalid, noSuch } from '../errors.ts';
import { emitChange } from '../events/emit.ts';
import { billingDetails } from '../http/address-params.ts';
import { defineRoute, readRoutes } from '../http/define-route.ts';
import { page } from '../http/list.ts';
import {
  body,
  expandOnly,
  listBody,
  mergeMetadata,
  metadata,
  natural,
  pageBody,
  text,
} from '../http/params.ts';
import { cardObject, noBillingDetails, sepaDebitObject } from '../objects/payment-method.ts';
import type { PaymentMethod } from '../stripe-objects.ts';
import type { World } from '../world.ts';

const card = z.strictObject({
  token: text.optional(),
  number: z
    .string()
    .regex(/^\d{12,19}$/, 'it is no card number')
    .optional(),
  exp_month: natural.optional(),
  exp_year: natural.optional(),
  cvc: z
    .string()
    .regex(/^\d{3,4}$/, 'it is no security code')
    .optional(),
});
const createParams = body({
  type: z.enum(['card', 'sepa_debit']),
  card: card.optional(),
  sepa_debit: z
    .strictObject({ iban: z.string().regex(/^[A-Za-z]{2}\d{2}[A-Za-z0-9]{8,30}$/, 'it is no IBAN') })
    .optional(),
  billing_details: billingDetails.optional(),
  metadata: metadata.optional(),
});
type CreateMethod = z.infer<typeof createParams>;

function detailsOf(
  before: PaymentMethod['billing_details'],
  given: z.infer<typeof billingDetails> | undefined,
): PaymentMethod['billing_details'] {
  const changed = Object.entries(given ?? {}).filter(([, value]) => value !== undefined);
  return { ...before, ...Object.fromEntries(changed) };
}

function last4Of(params: CreateMethod): string {
  const { token, number } = params.card ?? {};
  if (number !== undefined) return number.slice(-4);
  if (token === undefined) throw invalid('Missing required param: card.', 'card', 'parameter_missing');
  const last4 = testCardOf(token);
  if (last4 === undefined) throw noSuch('token', token, 'card[token]');
  return last4;
}

function build(world: World, params: CreateMethod): PaymentMethod {
  const fields = {
    created: world.clock.now(),
    customer: null,
    billingDetails: detailsOf(noBillingDetails, params.billing_details),
    metadata: mergeMetadata({}, params.metadata),
  };
  if (params.type === 'sepa_debit') {
    const iban = params.sepa_debit?.iban;
    if (iban === undefined)
      throw invalid('Missing required param: sepa_debit.', 'sepa_debit', 'parameter_missing');
    return sepaDebitObject({ ...fields, iban });
  }
  const method = cardObject({ ...fields, last4: last4Of(params) });
  if (method.card === undefined) return method;
  const { exp_month: month, exp_year: year } = params.card ?? {};
  return {
    ...method,
    card: {
      ...method.card,
      exp_month: month ?? method.card.exp_month,
      exp_year: year ?? method.card.exp_year,
    },
  };
}

function detach(world: World, method: PaymentMethod): PaymentMethod {
  if (method.customer === null) {
    throw invalid(
      'The payment method you provided is not attached to a customer so detachment is impossible.',
      'payment_method',
    );
  }
  const after = world.tables.paymentMethods.update(method, { customer: null });
  emitChange(world, 'payment_method.detached', { before: method, after });
  const customer = world.tables.customers.get(method.customer);
  if (customer?.invoice_settings.default_payment_method === method.id) {
    const settings = { ...customer.invoice_settings, default_payment_method: null };
    emitChange(world, 'customer.updated', {
      before: customer,
      after: world.tables.customers.update(customer, { invoice_settings: settings }),
    });
  }
  return after;
}

const ofCustomer = pageBody({ type: text.optional() });

export const paymentMethodRoutes = [
  defineRoute('POST /v1/payment_methods', createParams, (world, _id, params) =>
    world.tables.paymentMethods.insert(build(world, params)),
  ),
  defineRoute(
    'POST /v1/payment_methods/:id',
    body({ billing_details: billingDetails.optional(), metadata: metadata.optional() }),
    (world, id, params) => {
      const before = world.tables.paymentMethods.require(id);
      const after = world.tables.paymentMethods.update(before, {
        billing_details: detailsOf(before.billing_details, params.billing_details),
        metadata: mergeMetadata(before.metadata ?? {}, params.metadata),
      });
      emitChange(world, 'payment_method.updated', { before, after });
      return after;
    },
  ),
  defineRoute('POST /v1/payment_methods/:id/attach', body({ customer: text }), (world, id, params) => {
    const customer = world.tables.customers.require(params.customer, 'customer');
    return attachMethod(world, resolveMethod(world, id, 'id'), customer.id);
  }),
  defineRoute('POST /v1/payment_methods/:id/detach', expandOnly, (world, id) =>
    detach(world, world.tables.paymentMethods.require(id)),
  ),
  defineRoute('GET /v1/customers/:id/payment_methods', ofCustomer, (world, id, params) => {
    world.tables.customers.require(id);
    return page(world.tables.paymentMethods.newestFirst(), params, {
      url: `/v1/customers/${id}/payment_methods`,
      equal: ['type'],
      matches: (row) => row.customer === id,
    });
  }),
  ...readRoutes('/v1/payment_methods', 'paymentMethods', {
    params: listBody({ customer: text.optional(), type: text.optional() }),
    equal: ['customer', 'type'],
  }),
];
