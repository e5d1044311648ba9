import { z } from 'zod';

import { closeDispute, refundCharge } from '../billing/money-back.ts';
import { invalid } from '../errors.ts';
import { emitChange } from '../events/emit.ts';
import { defineRoute, readRoutes } from '../http/define-route.ts';
import { page } from '../http/list.ts';
import { body, expandOnly, listBody, mergeMetadata, metadata, positive, text } from '../http/params.ts';
import type { Charge } from '../stripe-objects.ts';
import type { World } from '../world.ts';

export const chargeRoutes = [
  defineRoute(
    'POST /v1/charges/:id',
    body({ description: text.optional(), metadata: metadata.optional() }),
    (world, id, params) => {
      const before = world.tables.charges.require(id);
      const after = world.tables.charges.update(before, {
        description: params.description,
        metadata: mergeMetadata(before.metadata, params.metadata),
      });
      emitChange(world, 'charge.updated', { before, after });
      return after;
    },
  ),
  defineRoute('GET /v1/charges/:id/refunds', listBody({}), (world, id, params) => {
    world.tables.charges.require(id);
    return page(world.tables.refunds.newestFirst(), params, {
      url: `/v1/charges/${id}/refunds`,
      matches: (row) => row.charge === id,
    });
  }),
  ...readRoutes('/v1/charges', 'charges', {
    params: listBody({ customer: text.optional(), payment_intent: text.optional() }),
    equal: ['customer', 'payment_intent'],
  }),
];

const createRefund = body({
  charge: text.optional(),
  payment_intent: text.optional(),
  amount: positive.optional(),
  reason: z.enum(['duplicate', 'fraudulent', 'requested_by_customer']).optional(),
  metadata: metadata.optional(),
});

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

const changeMetadata = body({ metadata: metadata.optional() });
const byCharge = listBody({ charge: text.optional(), payment_intent: text.optional() });

export const refundRoutes = [
  defineRoute('POST /v1/refunds', createRefund, (world, _id, params) =>
    refundCharge(world, chargeToRefund(world, params), {
      amount: params.amount ?? null,
      reason: params.reason ?? null,
      metadata: mergeMetadata({}, params.metadata),
    }),
  ),
  defineRoute('POST /v1/refunds/:id', changeMetadata, (world, id, params) => {
    const before = world.tables.refunds.require(id);
    const after = world.tables.refunds.update(before, {
      metadata: mergeMetadata(before.metadata ?? {}, params.metadata),
    });
    emitChange(world, 'refund.updated', { before, after });
    emitChange(world, 'charge.refund.updated', { before, after });
    return after;
  }),
  ...readRoutes('/v1/refunds', 'refunds', {
    params: byCharge,
    equal: ['charge', 'payment_intent'],
  }),
];

export const disputeRoutes = [
  defineRoute('POST /v1/disputes/:id/close', expandOnly, (world, id) => {
    const dispute = world.tables.disputes.require(id);
    const isInquiry = String(dispute.status).startsWith('warning_');
    return closeDispute(world, dispute, isInquiry ? 'warning_closed' : 'lost');
  }),
  defineRoute('POST /v1/disputes/:id', changeMetadata, (world, id, params) => {
    const before = world.tables.disputes.require(id);
    const after = world.tables.disputes.update(before, {
      metadata: mergeMetadata(before.metadata, params.metadata),
    });
    emitChange(world, 'charge.dispute.updated', { before, after });
    return after;
  }),
  ...readRoutes('/v1/disputes', 'disputes', {
    params: byCharge,
    equal: ['charge', 'payment_intent'],
  }),
];
