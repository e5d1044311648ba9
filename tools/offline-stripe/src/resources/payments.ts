import { z } from 'zod';

import { closeDispute } from '../billing/disputes.ts';
import { refundCharge } from '../billing/refunds.ts';
import { invalid, noSuch } from '../errors.ts';
import { defineRoute } from '../http/define-route.ts';
import { page } from '../http/list.ts';
import { body, expandOnly, listBody, mergeMetadata, metadata, positive, text } from '../http/params.ts';
import type { Charge } from '../stripe-objects.ts';
import type { World } from '../world.ts';

function required<T>(row: T | undefined, what: string, id: string): T {
  if (row === undefined) throw noSuch(what, id);
  return row;
}

export const paymentIntentRoutes = [
  defineRoute('GET /v1/payment_intents/:id', expandOnly, (world, id) =>
    required(world.tables.paymentIntents.get(id), 'payment_intent', id),
  ),
  defineRoute('GET /v1/payment_intents', listBody({ customer: text.optional() }), (world, _id, params) =>
    page(world.tables.paymentIntents.newestFirst(), params, {
      url: '/v1/payment_intents',
      matches: (row) => params.customer === undefined || row.customer === params.customer,
    }),
  ),
];

export const chargeRoutes = [
  defineRoute('GET /v1/charges/:id', expandOnly, (world, id) =>
    required(world.tables.charges.get(id), 'charge', id),
  ),
  defineRoute(
    'GET /v1/charges',
    listBody({ customer: text.optional(), payment_intent: text.optional() }),
    (world, _id, params) =>
      page(world.tables.charges.newestFirst(), params, {
        url: '/v1/charges',
        matches: (row) =>
          (params.customer === undefined || row.customer === params.customer) &&
          (params.payment_intent === undefined || row.payment_intent === params.payment_intent),
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
  if (params.charge !== undefined) {
    const charge = world.tables.charges.get(params.charge);
    if (charge === undefined) throw noSuch('charge', params.charge, 'charge');
    return charge;
  }
  if (params.payment_intent === undefined) {
    throw invalid(
      'One of the following params should be provided for this request: payment_intent or charge.',
    );
  }
  const intent = world.tables.paymentIntents.get(params.payment_intent);
  if (intent === undefined) throw noSuch('payment_intent', params.payment_intent, 'payment_intent');
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
  defineRoute('GET /v1/refunds/:id', expandOnly, (world, id) =>
    required(world.tables.refunds.get(id), 'refund', id),
  ),
  defineRoute(
    'GET /v1/refunds',
    listBody({ charge: text.optional(), payment_intent: text.optional() }),
    (world, _id, params) =>
      page(world.tables.refunds.newestFirst(), params, {
        url: '/v1/refunds',
        matches: (row) =>
          (params.charge === undefined || row.charge === params.charge) &&
          (params.payment_intent === undefined || row.payment_intent === params.payment_intent),
      }),
  ),
];

export const disputeRoutes = [
  defineRoute('GET /v1/disputes/:id', expandOnly, (world, id) =>
    required(world.tables.disputes.get(id), 'dispute', id),
  ),
  defineRoute('POST /v1/disputes/:id/close', expandOnly, (world, id) =>
    closeDispute(world, required(world.tables.disputes.get(id), 'dispute', id), 'lost'),
  ),
  defineRoute(
    'GET /v1/disputes',
    listBody({ charge: text.optional(), payment_intent: text.optional() }),
    (world, _id, params) =>
      page(world.tables.disputes.newestFirst(), params, {
        url: '/v1/disputes',
        matches: (row) =>
          (params.charge === undefined || row.charge === params.charge) &&
          (params.payment_intent === undefined || row.payment_intent === params.payment_intent),
      }),
  ),
];
