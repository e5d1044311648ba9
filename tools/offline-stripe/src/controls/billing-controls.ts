import { z } from 'zod';

import { payCheckout } from '../billing/checkout.ts';
import { attemptInvoice, changeDunning, dunningOf, payInvoice, untilPaid } from '../billing/collect.ts';
import { completeDelayedCheckout } from '../billing/delayed-checkout.ts';
import { closeDispute, failRefund, openDispute } from '../billing/money-back.ts';
import { invalid } from '../errors.ts';
import type { World } from '../world.ts';
import { defineControl, nothing, type Control } from './control-router.ts';

const outcome = z.strictObject({ outcome: z.enum(['succeeded', 'failed']) });

function completeLatestInvoice(world: World, id: string, result: 'succeeded' | 'failed'): object {
  const subscription = world.tables.subscriptions.require(id);
  const invoice = world.tables.invoices.get(subscription.latest_invoice ?? '');
  if (invoice?.status !== 'open') throw invalid('The latest invoice of this subscription is not open.', 'id');
  if (result === 'succeeded') payInvoice(world, invoice);
  else {
    changeDunning(world, id, { failures_left: Math.max(1, dunningOf(world, id).failures_left) });
    attemptInvoice(world, invoice, true);
  }
  return world.tables.subscriptions.require(id);
}

function checkoutControls(world: World): Control[] {
  return [
    defineControl(
      'POST /_offline/checkout/sessions/:id/pay',
      z.strictObject({
        payment_status: z.enum(['paid', 'unpaid']).default('paid'),
        line_items: z
          .array(z.strictObject({ price: z.string(), quantity: z.number().int().min(0).max(999_999) }))
          .default([]),
      }),
      (id, body) =>
        payCheckout(world, world.tables.sessions.require(id), {
          isDelayed: body.payment_status === 'unpaid',
          choices: body.line_items,
        }),
    ),
    defineControl('POST /_offline/checkout/sessions/:id/settle', outcome, (id, body) =>
      completeDelayedCheckout(world, world.tables.sessions.require(id), body.outcome),
    ),
  ];
}

function subscriptionControls(world: World): Control[] {
  return [
    defineControl(
      'POST /_offline/subscriptions/:id/fail_next_payment',
      z.strictObject({
        times: z.number().int().min(1).max(untilPaid).default(untilPaid),
        after_last_retry: z.enum(['cancel', 'unpaid', 'past_due']).optional(),
      }),
      (id, body) => {
        world.tables.subscriptions.require(id);
        changeDunning(world, id, {
          failures_left: body.times,
          ...(body.after_last_retry === undefined ? {} : { after_last_retry: body.after_last_retry }),
        });
        return dunningOf(world, id);
      },
    ),
    defineControl('POST /_offline/subscriptions/:id/settle', outcome, (id, body) =>
      completeLatestInvoice(world, id, body.outcome),
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
        const charge = world.tables.charges.require(id);
        return openDispute(world, charge, { ...body, amount: body.amount ?? charge.amount });
      },
    ),
    defineControl(
      'POST /_offline/disputes/:id/close',
      z.strictObject({ status: z.enum(['won', 'lost', 'warning_closed']) }),
      (id, body) => closeDispute(world, world.tables.disputes.require(id), body.status),
    ),
    defineControl('POST /_offline/refunds/:id/fail', nothing, (id) =>
      failRefund(world, world.tables.refunds.require(id)),
    ),
  ];
}

/** What payers, banks and card networks do. */
export function billingControls(world: World): Control[] {
  return [...checkoutControls(world), ...subscriptionControls(world), ...moneyControls(world)];
}
