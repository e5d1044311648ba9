import type { z } from 'zod';

import { applyItemChanges, isBilledNow, updateSubscription as applyUpdate } from '../billing/change-items.ts';
import { redeemCoupon } from '../billing/discounts.ts';
import { isDeclined } from '../billing/payment-methods.ts';
import { endTrial } from '../billing/renew.ts';
import { endPatch, isEnded } from '../billing/subscription-changes.ts';
import { cardDeclined, invalid } from '../errors.ts';
import { mergeMetadata } from '../http/params.ts';
import type { Patch } from '../state/tables.ts';
import type { Subscription } from '../stripe-objects.ts';
import type { World } from '../world.ts';
import { checkTerms, couponsOf, methodFor } from './subscription-choices.ts';
import {
  itemChange,
  prorationOf,
  type cancellationDetails,
  type UpdateSubscription,
} from './subscription-params.ts';

function discountPatch(world: World, before: Subscription, params: UpdateSubscription): Patch<Subscription> {
  if (params.discounts === undefined) return {};
  const by = { customer: before.customer, subscription: before.id };
  return {
    discounts: couponsOf(world, params.discounts).map((coupon) => redeemCoupon(world, coupon, by).id),
  };
}

/** What an update changes besides items. */
function patchOf(world: World, before: Subscription, params: UpdateSubscription): Patch<Subscription> {
  const customer = world.tables.customers.require(before.customer);
  const given = params.default_payment_method;
  const missing = params.trial_settings?.end_behavior.missing_payment_method;
  const details = params.cancellation_details;
  const ending = endPatch(world, before, params);
  const method = params.collection_method;
  return {
    ...ending,
    ...discountPatch(world, before, params),
    collection_method: method,
    days_until_due:
      method === 'charge_automatically'
        ? null
        : (params.days_until_due ?? (method === 'send_invoice' ? (before.days_until_due ?? 30) : undefined)),
    pause_collection: params.pause_collection,
    default_payment_method: given === undefined ? undefined : methodFor(world, { customer, given }),
    description: params.description,
    metadata: mergeMetadata(before.metadata, params.metadata),
    cancellation_details:
      details === undefined
        ? ending.cancellation_details
        : detailsOf(ending.cancellation_details ?? before.cancellation_details, details),
    trial_settings:
      missing === undefined
        ? undefined
        : { end_behavior: { billing_cycle_anchor: null, missing_payment_method: missing } },
  };
}

export function detailsOf(
  before: Subscription['cancellation_details'],
  { comment, feedback }: z.infer<typeof cancellationDetails>,
): NonNullable<Subscription['cancellation_details']> {
  return {
    comment: comment === undefined ? (before?.comment ?? null) : comment,
    feedback: feedback ?? before?.feedback ?? null,
    feedback_option: before?.feedback_option ?? null,
    reason: before?.reason ?? null,
  };
}

export function updateSubscription(
  world: World,
  before: Subscription,
  params: UpdateSubscription,
): Subscription {
  if (isEnded(before))
    throw invalid('A canceled subscription can only update its cancellation_details and metadata.');
  checkTerms(params, String(before.collection_method));
  const items =
    params.items === undefined
      ? before.items.data
      : applyItemChanges(
          world,
          before,
          params.items.map((item, index) => itemChange(world, item, `items[${index}][price]`)),
        );
  const patch = patchOf(world, { ...before, items: { ...before.items, data: items } }, params);
  const trialEnd = params.trial_end;
  const proration = prorationOf(params);
  const restarts = params.billing_cycle_anchor === 'now';
  if (typeof trialEnd === 'number') {
    patch.trial_end = trialEnd;
    patch.trial_start = before.trial_start ?? world.clock.now();
    patch.status = 'trialing';
    patch.billing_cycle_anchor = trialEnd;
    applyUpdate(world, before, {
      items: items.map((item) => ({ ...item, current_period_end: trialEnd })),
      patch,
      restarts: false,
      proration: { ...proration, behavior: 'none' },
    });
  } else {
    const change = { items, patch, restarts, proration };
    const method = patch.default_payment_method ?? before.default_payment_method;
    if (
      params.payment_behavior === 'error_if_incomplete' &&
      isBilledNow(before, change) &&
      isDeclined(world, method)
    )
      throw cardDeclined();
    applyUpdate(world, before, change);
  }
  const after = world.tables.subscriptions.require(before.id);
  if (trialEnd === 'now' && after.status === 'trialing') endTrial(world, after);
  return world.tables.subscriptions.require(before.id);
}
