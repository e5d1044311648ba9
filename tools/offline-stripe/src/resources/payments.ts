import { z } from 'zod';

import { closeDispute, refundCharge } from '../billing/money-back.ts';
import { invalid } from '../errors.ts';
import { defineRoute, readRoutes } from '../http/define-route.ts';
import { body, expandOnly, listBody, mergeMetadata, metadata, positive, text } from '../http/params.ts';
import type { Charge } from '../stripe-objects.ts';
import type { World } from '../world.ts';

export const paymentIntentRoutes = readRoutes('/v1/payment_intents', 'paymentIntents', {
  params: listBody({ customer: text.optional() }),
  equal: ['customer'],
});

export const chargeRoutes = readRoutes('/v1/charges', 'charges', {
  params: listBody({ customer: text.optional(), payment_intent: text.optional() }),
  equal: ['customer', 'payment_intent'],
});

const createRefund = body(
  {
    charge: text.optional(),
    payment_intent: text.optional(),
    amount: positive.optional(),
    reason: z.enum(['duplicate', 'fraudulent', 'requested_by_customer']).optional(),
    metadata: metadata.optional(),
  },
  'instructions_email refund_application_fee reverse_transfer',
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

const byCharge = listBody({ charge: text.optional(), payment_intent: text.optional() });

export const refundRoutes = [
  defineRoute('POST /v1/refunds', createRefund, (world, _id, params) =>
    refundCharge(world, chargeToRefund(world, params), {
      amount: params.amount ?? null,
      reason: params.reason ?? null,
      metadata: mergeMetadata({}, params.metadata),
    }),
  ),
  ...readRoutes('/v1/refunds', 'refunds', {
    params: byCharge,
    equal: ['charge', 'payment_intent'],
  }),
];

export const disputeRoutes = [
  defineRoute('POST /v1/disputes/:id/close', expandOnly, (world, id) =>
    closeDispute(world, world.tables.disputes.require(id), 'lost'),
  ),
  ...readRoutes('/v1/disputes', 'disputes', {
    params: byCharge,
    equal: ['charge', 'payment_intent'],
  }),
];
