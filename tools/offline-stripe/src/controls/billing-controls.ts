import { z } from 'zod';

import { payCheckout, settleCheckout } from '../billing/checkout.ts';
import { attemptInvoice, payInvoice } from '../billing/collect.ts';
import { changeControl, controlOf, UNTIL_PAID } from '../billing/controls.ts';
import { closeDispute, openDispute } from '../billing/disputes.ts';
import { failRefund } from '../billing/refunds.ts';
import { invalid, noSuch } from '../errors.ts';
import { knownSession } from '../resources/checkout-sessions.ts';
import { knownSubscription } from '../resources/subscriptions.ts';
import type { World } from '../world.ts';
import { defineControl, nothing, type Control } from './define-control.ts';

const outcome = z.strictObject({ outcome: z.enum(['succeeded', 'failed']) });

function settleLatest(world: World, id: string, result: 'succeeded' | 'failed'): object {
  const subscription = knownSubscription(world, id);
  const invoice = world.tables.invoices.get(subscription.latest_invoice ?? '');
  if (invoice?.status !== 'open') throw invalid('The latest invoice of this subscription is not open.', 'id');
  if (result === 'succeeded') payInvoice(world, invoice);
  else {
    changeControl(world, id, { failures_left: Math.max(1, controlOf(world, id).failures_left) });
    attemptInvoice(world, invoice, true);
  }
  return knownSubscription(world, id);
}

function checkoutControls(world: World): Control[] {
  return [
    defineControl(
      'POST /_offline/checkout/sessions/:id/pay',
      z.strictObject({ payment_status: z.enum(['paid', 'unpaid']).default('paid') }),
      (id, body) => payCheckout(world, knownSession(world, id), body.payment_status === 'unpaid'),
    ),
    defineControl('POST /_offline/checkout/sessions/:id/settle', outcome, (id, body) =>
      settleCheckout(world, knownSession(world, id), body.outcome),
    ),
  ];
}

function subscriptionControls(world: World): Control[] {
  return [
    defineControl(
      'POST /_offline/subscriptions/:id/fail_next_payment',
      z.strictObject({
        times: z.number().int().min(1).max(UNTIL_PAID).default(UNTIL_PAID),
        after_last_retry: z.enum(['cancel', 'unpaid', 'past_due']).optional(),
      }),
      (id, body) => {
        knownSubscription(world, id);
        changeControl(world, id, {
          failures_left: body.times,
          ...(body.after_last_retry === undefined ? {} : { after_last_retry: body.after_last_retry }),
        });
        return controlOf(world, id);
      },
    ),
    defineControl('POST /_offline/subscriptions/:id/settle', outcome, (id, body) =>
      settleLatest(world, id, body.outcome),
    ),
  ];
}

function moneyControls(world: World): Control[] {
  return [
    defineControl(
      'POST /_offline/charges/:id/dispute',
      z.strictObject({
        amount: z.number().int().min(1).optional(),
        reason: z.string().max(100).default('fraudulent'),
        status: z.enum(['needs_response', 'warning_needs_response']).default('needs_response'),
      }),
      (id, body) => {
        const charge = world.tables.charges.get(id);
        if (charge === undefined) throw noSuch('charge', id);
        return openDispute(world, charge, { ...body, amount: body.amount ?? charge.amount });
      },
    ),
    defineControl(
      'POST /_offline/disputes/:id/close',
      z.strictObject({ status: z.enum(['won', 'lost', 'warning_closed']) }),
      (id, body) => {
        const dispute = world.tables.disputes.get(id);
        if (dispute === undefined) throw noSuch('dispute', id);
        return closeDispute(world, dispute, body.status);
      },
    ),
    defineControl('POST /_offline/refunds/:id/fail', nothing, (id) => {
      const refund = world.tables.refunds.get(id);
      if (refund === undefined) throw noSuch('refund', id);
      return failRefund(world, refund);
    }),
  ];
}

/** What payers, banks and card networks do. */
export function billingControls(world: World): Control[] {
  return [...checkoutControls(world), ...subscriptionControls(world), ...moneyControls(world)];
}
