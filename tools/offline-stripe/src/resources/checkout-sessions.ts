import { z } from 'zod';

import { shownDiscounts } from '../billing/checkout-discounts.ts';
import { checkoutSums, discountCheckoutLines, hasTrial } from '../billing/checkout-lines.ts';
import { expireCheckout } from '../billing/checkout.ts';
import { invalid } from '../errors.ts';
import { defineRoute, readRoutes } from '../http/define-route.ts';
import { page } from '../http/list.ts';
import { body, expandOnly, listBody, mergeMetadata, metadata, pageBody, text } from '../http/params.ts';
import { newId } from '../ids.ts';
import { checkoutSessionObject, invoiceCreationObject } from '../objects/checkout-session.ts';
import type { CheckoutPlan } from '../state/private-rows.ts';
import type { CheckoutSession, LineItem } from '../stripe-objects.ts';
import type { World } from '../world.ts';
import { choicesOf, customerUpdateOf, placeOf } from './checkout-session-choices.ts';
import { linesOf, optionalLines } from './checkout-session-lines.ts';
import { createParams, type CreateSession } from './checkout-session-params.ts';
import { redeemablesOf } from './discount-params.ts';

function checkModes(params: CreateSession, lines: LineItem[]): void {
  if (params.mode === 'subscription' && !lines.some((line) => line.price?.type === 'recurring')) {
    throw invalid(
      'You must provide at least one recurring price in `subscription` mode when using prices.',
      'line_items',
    );
  }
  if (params.mode === 'subscription' && params.invoice_creation !== undefined) {
    throw invalid(
      'You can only enable invoice creation when `mode` is set to `payment`.',
      'invoice_creation',
    );
  }
  if (params.mode === 'payment' && params.payment_method_collection !== undefined) {
    throw invalid(
      'You can only set `payment_method_collection` if there are recurring prices.',
      'payment_method_collection',
    );
  }
  if (params.mode === 'payment' && params.subscription_data !== undefined) {
    throw invalid('You can not pass `subscription_data` in `payment` mode.', 'subscription_data');
  }
  if (params.mode === 'subscription' && params.payment_intent_data !== undefined) {
    throw invalid('You can not pass `payment_intent_data` in `subscription` mode.', 'payment_intent_data');
  }
  checkExclusive(params);
  if (new Set(lines.map((line) => line.currency)).size > 1) {
    throw invalid('All prices on a Checkout Session must use the same currency.', 'line_items');
  }
}

function checkExclusive(params: CreateSession): void {
  const { subscription_data: data } = params;
  const pairs = {
    customer_email: params.customer !== undefined && params.customer_email !== undefined ? 'customer' : null,
    allow_promotion_codes:
      params.discounts !== undefined && params.allow_promotion_codes !== undefined ? 'discounts' : null,
    'subscription_data[trial_end]':
      data?.trial_end !== undefined && data.trial_period_days !== undefined
        ? 'subscription_data[trial_period_days]'
        : null,
  };
  for (const [name, other] of Object.entries(pairs)) {
    if (other !== null)
      throw invalid(`You may only specify one of these parameters: ${other}, ${name}.`, name);
  }
}

/** Checkout takes a trial that ends in two days or later. */
function checkTrial(world: World, { subscription_data: data }: CreateSession): void {
  if (data?.trial_end === undefined || data.trial_end >= world.clock.now() + 2 * 86_400) return;
  throw invalid(
    'The `trial_end` date has to be at least 2 days in the future.',
    'subscription_data[trial_end]',
  );
}

function expiryOf(world: World, params: CreateSession): number {
  const now = world.clock.now();
  const at = params.expires_at ?? now + 86_400;
  if (at < now + 1_800 || at > now + 86_400) {
    throw invalid(
      'The `expires_at` timestamp must be between 30 minutes and 24 hours from Checkout Session creation.',
      'expires_at',
    );
  }
  return at;
}

function invoiceCreationOf(params: CreateSession): CheckoutSession['invoice_creation'] {
  if (params.mode !== 'payment') return null;
  const { enabled = false, invoice_data: data } = params.invoice_creation ?? {};
  return invoiceCreationObject({
    enabled,
    description: data?.description,
    footer: data?.footer,
    metadata: mergeMetadata({}, data?.metadata),
  });
}

function planOf(
  params: CreateSession,
  fields: Pick<CheckoutPlan, 'id' | 'line_items' | 'optional_lines' | 'discounts'>,
): CheckoutPlan {
  const { subscription_data: data, payment_intent_data: payment } = params;
  return {
    ...fields,
    subscription_metadata: mergeMetadata({}, data?.metadata),
    payment_intent_metadata: mergeMetadata({}, payment?.metadata),
    description: data?.description ?? payment?.description ?? null,
    trial_end: data?.trial_end ?? null,
    trial_days: data?.trial_period_days ?? null,
    missing_payment_method: data?.trial_settings?.end_behavior.missing_payment_method ?? 'create_invoice',
    collects_payment_method: (params.payment_method_collection ?? 'always') === 'always',
    customer_update: customerUpdateOf(params),
    payment: {
      capture_method: payment?.capture_method ?? 'automatic_async',
      receipt_email: payment?.receipt_email ?? null,
      setup_future_usage: payment?.setup_future_usage ?? null,
      shipping: payment?.shipping ?? null,
      statement_descriptor: payment?.statement_descriptor ?? null,
    },
  };
}

function createSession(world: World, params: CreateSession): CheckoutSession {
  if (params.customer !== undefined) world.tables.customers.require(params.customer, 'customer');
  const expiresAt = expiryOf(world, params);
  checkTrial(world, params);
  const given = linesOf(world, params);
  const optional = optionalLines(world, params);
  checkModes(params, [...given, ...optional]);
  const id = newId('cs_test');
  const redeemables = redeemablesOf(world, params.discounts ?? [], {
    customer: params.customer ?? null,
    amount: given.reduce((sum, line) => sum + line.amount_subtotal, 0),
    currency: given[0]?.currency,
  });
  const discounts = redeemables.map(({ coupon, code }) => ({
    coupon: coupon.id,
    promotion_code: code?.id ?? null,
  }));
  const lines = discountCheckoutLines(world, given, discounts);
  const plan = planOf(params, { id, line_items: lines, optional_lines: optional, discounts });
  const session = checkoutSessionObject({
    id,
    created: world.clock.now(),
    expiresAt,
    mode: params.mode,
    lines,
    sums: checkoutSums(lines, hasTrial(plan)),
    discounts: shownDiscounts(discounts),
    invoiceCreation: invoiceCreationOf(params),
    methodTypes: params.payment_method_types ?? ['card'],
    customer: params.customer ?? null,
    customerEmail: params.customer_email ?? null,
    customerCreation: params.mode === 'subscription' ? 'always' : (params.customer_creation ?? 'if_required'),
    clientReferenceId: params.client_reference_id ?? null,
    paymentMethodCollection:
      params.payment_method_collection ?? (params.mode === 'payment' ? 'if_required' : 'always'),
    place: placeOf(world, params, id),
    choices: choicesOf(world, params),
    metadata: mergeMetadata({}, params.metadata),
  });
  world.tables.checkoutPlans.insert(plan);
  return world.tables.sessions.insert(session);
}

export const checkoutSessionRoutes = [
  defineRoute('POST /v1/checkout/sessions', createParams, (world, _id, params) =>
    createSession(world, params),
  ),
  defineRoute(
    'POST /v1/checkout/sessions/:id',
    body({ metadata: metadata.optional() }),
    (world, id, params) => {
      const session = world.tables.sessions.require(id);
      return world.tables.sessions.update(session, {
        metadata: mergeMetadata(session.metadata ?? {}, params.metadata),
      });
    },
  ),
  defineRoute('POST /v1/checkout/sessions/:id/expire', expandOnly, (world, id) =>
    expireCheckout(world, world.tables.sessions.require(id)),
  ),
  defineRoute('GET /v1/checkout/sessions/:id/line_items', pageBody({}), (world, id, params) => {
    const session = world.tables.sessions.require(id);
    const lines = world.tables.checkoutPlans.get(session.id)?.line_items ?? [];
    return page(lines, params, { url: `/v1/checkout/sessions/${id}/line_items` });
  }),
  ...readRoutes('/v1/checkout/sessions', 'sessions', {
    params: listBody({
      customer: text.optional(),
      payment_intent: text.optional(),
      subscription: text.optional(),
      status: z.enum(['complete', 'expired', 'open']).optional(),
      customer_details: z.strictObject({ email: text }).optional(),
    }),
    equal: ['customer', 'payment_intent', 'subscription', 'status'],
    matches: (row, { customer_details: details }) =>
      details === undefined || row.customer_details?.email === details.email,
  }),
];
