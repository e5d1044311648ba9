import { z } from 'zod';

import { expireCheckout } from '../billing/checkout.ts';
import { invalid } from '../errors.ts';
import { defineRoute, readRoutes } from '../http/define-route.ts';
import { list } from '../http/list.ts';
import { body, expandOnly, listBody, mergeMetadata, metadata, text } from '../http/params.ts';
import { newId } from '../ids.ts';
import { checkoutLine, checkoutSessionObject } from '../objects/checkout-session.ts';
import type { CheckoutSession, LineItem } from '../stripe-objects.ts';
import type { World } from '../world.ts';
import { createParams, type CreateSession } from './checkout-session-params.ts';
import { createPrice, requireActive } from './prices.ts';

function linesOf(world: World, params: CreateSession): LineItem[] {
  return params.line_items.map((line, index) => {
    const name = `line_items[${index}][price]`;
    if (line.price === undefined && line.price_data === undefined) {
      throw invalid(`Missing required param: ${name}.`, name, 'parameter_missing');
    }
    const price =
      line.price_data === undefined
        ? world.tables.prices.require(line.price ?? '', name)
        : createPrice(world, line.price_data);
    requireActive(price, name);
    if (params.mode === 'payment' && price.type === 'recurring') {
      throw invalid(
        'You specified `payment` mode but passed a recurring price. Either switch to `subscription` mode or use only one-time prices.',
        'mode',
      );
    }
    const product = world.tables.products.get(price.product);
    return checkoutLine(price, line.quantity ?? 1, product?.name ?? price.id);
  });
}

function checkModes(params: CreateSession, lines: LineItem[]): void {
  if (params.mode === 'subscription' && !lines.some((line) => line.price?.type === 'recurring')) {
    throw invalid(
      'You must provide at least one recurring price in `subscription` mode when using prices.',
      'line_items',
    );
  }
  if (params.mode === 'subscription' && lines.some((line) => line.price?.type === 'one_time')) {
    throw invalid(
      'The offline Stripe does not mix one-time prices into a subscription checkout.',
      'line_items',
    );
  }
  if (params.mode === 'payment' && params.subscription_data !== undefined) {
    throw invalid('You can not pass `subscription_data` in `payment` mode.', 'subscription_data');
  }
  if (params.mode === 'subscription' && params.payment_intent_data !== undefined) {
    throw invalid('You can not pass `payment_intent_data` in `subscription` mode.', 'payment_intent_data');
  }
  if (new Set(lines.map((line) => line.currency)).size > 1) {
    throw invalid('All prices on a Checkout Session must use the same currency.', 'line_items');
  }
  if (params.customer !== undefined && params.customer_email !== undefined) {
    throw invalid(
      'You may only specify one of these parameters: customer, customer_email.',
      'customer_email',
    );
  }
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

function createSession(world: World, params: CreateSession): CheckoutSession {
  if (params.customer !== undefined) world.tables.customers.require(params.customer, 'customer');
  const lines = linesOf(world, params);
  checkModes(params, lines);
  const id = newId('cs_test');
  const data = params.subscription_data;
  const hasTrial = data?.trial_period_days !== undefined || data?.trial_end !== undefined;
  const total = lines.reduce((sum, line) => sum + line.amount_total, 0);
  const session = checkoutSessionObject({
    id,
    created: world.clock.now(),
    expiresAt: expiryOf(world, params),
    mode: params.mode,
    lines,
    amountTotal: hasTrial ? 0 : total,
    customer: params.customer ?? null,
    customerEmail: params.customer_email ?? null,
    customerCreation: params.mode === 'subscription' ? 'always' : (params.customer_creation ?? 'if_required'),
    clientReferenceId: params.client_reference_id ?? null,
    paymentMethodCollection:
      params.payment_method_collection ?? (params.mode === 'payment' ? 'if_required' : 'always'),
    successUrl: params.success_url,
    cancelUrl: params.cancel_url ?? null,
    url: `${world.publicUrl()}/c/pay/${id}`,
    metadata: mergeMetadata({}, params.metadata),
    allowPromotionCodes: params.allow_promotion_codes ?? null,
  });
  world.tables.checkoutPlans.insert({
    id,
    line_items: lines,
    subscription_metadata: mergeMetadata({}, data?.metadata),
    payment_intent_metadata: mergeMetadata({}, params.payment_intent_data?.metadata),
    description: data?.description ?? params.payment_intent_data?.description ?? null,
    trial_end: data?.trial_end ?? null,
    trial_days: data?.trial_period_days ?? null,
    missing_payment_method: data?.trial_settings?.end_behavior.missing_payment_method ?? 'create_invoice',
    collects_payment_method: (params.payment_method_collection ?? 'always') === 'always',
  });
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
  defineRoute('GET /v1/checkout/sessions/:id/line_items', listBody({}), (world, id, params) => {
    const session = world.tables.sessions.require(id);
    const lines = world.tables.checkoutPlans.get(session.id)?.line_items ?? [];
    const from =
      params.starting_after === undefined
        ? 0
        : lines.findIndex((line) => line.id === params.starting_after) + 1;
    const limit = params.limit ?? 10;
    const listUrl = `/v1/checkout/sessions/${id}/line_items`;
    return list(lines.slice(from, from + limit), from + limit < lines.length, listUrl);
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
