import { z } from 'zod';

import { billLast } from '../billing/last-bill.ts';
import { resumePaused } from '../billing/resume-paused.ts';
import { endSubscription, isEnded } from '../billing/subscription-changes.ts';
import { invalid, noSuch } from '../errors.ts';
import { defineRoute, readRoutes } from '../http/define-route.ts';
import { body, listBody, text } from '../http/params.ts';
import type { Subscription } from '../stripe-objects.ts';
import { createSubscription } from './create-subscription.ts';
import { lastBillParams } from './end-params.ts';
import { methodFor, newCard } from './subscription-choices.ts';
import { cancellationDetails, createParams, updateParams } from './subscription-params.ts';
import { detailsOf, updateSubscription } from './update-subscription.ts';

const deleteParams = body({ ...lastBillParams, cancellation_details: cancellationDetails.optional() });
/** Another anchor than now is not implemented. */
const resumeParams = body({
  billing_cycle_anchor: z.strictObject({ type: z.literal('now') }).optional(),
  payment_behavior: z.enum(['resume_on_payment_attempt', 'resume_on_payment_success']).optional(),
});

const listParams = listBody({
  customer: text.optional(),
  price: text.optional(),
  collection_method: text.optional(),
  status: z
    .enum([
      'all',
      'active',
      'canceled',
      'ended',
      'incomplete',
      'incomplete_expired',
      'past_due',
      'paused',
      'trialing',
      'unpaid',
    ])
    .optional(),
});

function hasStatus(subscription: Subscription, wanted: z.infer<typeof listParams>['status']): boolean {
  if (wanted === 'all') return true;
  if (wanted === 'ended') return isEnded(subscription);
  return wanted === undefined ? subscription.status !== 'canceled' : subscription.status === wanted;
}

export const subscriptionRoutes = [
  defineRoute('POST /v1/subscriptions', createParams, (world, _id, params) =>
    createSubscription(world, params),
  ),
  defineRoute('POST /v1/subscriptions/:id', updateParams, (world, id, params) =>
    updateSubscription(world, world.tables.subscriptions.require(id), params),
  ),
  defineRoute('DELETE /v1/subscriptions/:id', deleteParams, (world, id, params) => {
    const subscription = world.tables.subscriptions.require(id);
    if (isEnded(subscription)) throw noSuch('subscription', id);
    billLast(world, id, params);
    const details = params.cancellation_details;
    if (details !== undefined) {
      world.tables.subscriptions.update(world.tables.subscriptions.require(id), {
        cancellation_details: detailsOf(subscription.cancellation_details, details),
      });
    }
    return endSubscription(world, id, 'cancellation_requested');
  }),
  defineRoute('POST /v1/subscriptions/:id/resume', resumeParams, (world, id, params) => {
    const subscription = world.tables.subscriptions.require(id);
    if (subscription.status !== 'paused')
      throw invalid('Only a paused subscription can be resumed.', 'subscription');
    const customer = world.tables.customers.require(subscription.customer);
    const known = subscription.default_payment_method ?? methodFor(world, { customer, given: undefined });
    resumePaused(
      world,
      world.tables.subscriptions.update(subscription, {
        default_payment_method: known ?? newCard(world, customer),
      }),
      params.payment_behavior ?? 'resume_on_payment_attempt',
    );
    return world.tables.subscriptions.require(id);
  }),
  ...readRoutes('/v1/subscriptions', 'subscriptions', {
    params: listParams,
    equal: ['customer', 'collection_method'],
    matches: (row, { status, price }) =>
      hasStatus(row, status) &&
      (price === undefined || row.items.data.some((item) => item.price.id === price)),
  }),
];
