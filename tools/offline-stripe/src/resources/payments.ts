import { z } from 'zod';

import { closeDispute, refundCharge } from '../billing/money-back.ts';
import { invalid } from '../errors.ts';
import { defineRoute } from '../http/define-route.ts';
import { page } from '../http/list.ts';
import { body, expandOnly, listBody, mergeMetadata, metadata, positive, text } from '../http/params.ts';
import type { Charge } from '../stripe-objects.ts';
import type { World } from '../world.ts';

export const paymentIntentRoutes = [
  defineRoute('GET /v1/payment_intents/:id', expandOnly, (world, id) =>
    world.tables.paymentIntents.require(id),
  ),
  defineRoute('GET /v1/payment_intents', listBody({ customer: text.optional() }), (world, _id, params) =>
    page(world.tables.paymentIntents.newestFirst(), params, {
      url: '/v1/payment_intents',
      equal: ['customer'],
    }),
  ),
];

export const chargeRoutes = [
  defineRoute('GET /v1/charges/:id', expandOnly, (world, id) => world.tables.charges.require(id)),
  defineRoute(
    'GET /v1/charges',
    listBody({ customer: text.optional(), payment_intent: text.optional() }),
    (world, _id, params) =>
      page(world.tables.charges.newestFirst(), params, {
        url: '/v1/charges',
        equal: ['customer', 'payment_intent'],
      }),
  ),
];

const createRefund = body(
  {
    charge: text.optional(),
    payment_intent: text.optional(),
    amount: positive.optional(),
    reason: z.enum(['duplicate', 'fraudulent', 'requested_by_customer']).optional(),
    metadata: metadata.optional(),
  },
  ['instructions_email', 'refund_application_fee', 'reverse_transfer'],
);

function chargeToRefund(world: World, params: z.infer<typeof createRefund>): Charge {
  if (params.charge !== undefined) return world.tables.charges.require(params.charge, 'charge');
  if (params.payment_intent === undefined) {
    throw invalid(
      'One of the following params should be provided for this request: payment_intent or charge.',
    );
  }
  const intent = world.tables.paymentIntents.require(params.payment_intent, 'payment_intent');
  const charge = world.tables.charges.get(intent.latest_charge ?? '');
  if (charge === undefined)
    throw invalid('This PaymentIntent does not have a successful charge to refund.', 'payment_intent');
  return charge;
}

export const refundRoutes = [
  defineRoute('POST /v1/refunds', createRefund, (world, _id, params) =>
    refundCharge(world, chargeToRefund(world, params), {
      amount: params.amount ?? null,
      reason: params.reason ?? null,
      metadata: mergeMetadata({}, params.metadata),
    }),
  ),
  defineRoute('GET /v1/refunds/:id', expandOnly, (world, id) => world.tables.refunds.require(id)),
  defineRoute(
    'GET /v1/refunds',
    listBody({ charge: text.optional(), payment_intent: text.optional() }),
    (world, _id, params) =>
      page(world.tables.refunds.newestFirst(), params, {
        url: '/v1/refunds',
        equal: ['charge', 'payment_intent'],
      }),
  ),
];

export const disputeRoutes = [
  defineRoute('GET /v1/disputes/:id', expandOnly, (world, id) => world.tables.disputes.require(id)),
  defineRoute('POST /v1/disputes/:id/close', expandOnly, (world, id) =>
    closeDispute(world, world.tables.disputes.require(id), 'lost'),
  ),
  defineRoute(
    'GET /v1/disputes',
    listBody({ charge: text.optional(), payment_intent: text.optional() }),
    (world, _id, params) =>
      page(world.tables.disputes.newestFirst(), params, {
        url: '/v1/disputes',
        equal: ['charge', 'payment_intent'],
      }),
  ),
];
