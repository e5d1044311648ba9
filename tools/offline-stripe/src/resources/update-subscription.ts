import type { z } from 'zod';

import {
  applyItemChanges,
  holdUpdate,
  updateSubscription as applyUpdate,
  type SubscriptionUpdate,
} from '../billing/change-items.ts';
import { giveUpHeldChange, isPaidAtOnce } from '../billing/hold-change.ts';
import { endTrial } from '../billing/renew.ts';
import { mirrorItems } from '../billing/schedules.ts';
import { endPatch } from '../billing/subscription-changes.ts';
import { cardDeclined } from '../errors.ts';
import { mergeMetadata } from '../http/params.ts';
import type { Patch } from '../state/table.ts';
import type { Subscription } from '../stripe-objects.ts';
import type { World } from '../world.ts';
import { checkUpdate } from './check-update.ts';
import { replaceDiscounts } from './discount-params.ts';
import { itemChange, methodFor } from './subscription-choices.ts';
import { prorationOf, type cancellationDetails, type UpdateSubscription } from './subscription-params.ts';

function discountPatch(world: World, before: Subscription, params: UpdateSubscription): Patch<Subscription> {
  if (params.discounts === undefined) return {};
  return { discounts: replaceDiscounts(world, before, params.discounts ?? []) };
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

/** A trial until that moment: its items' periods end then. */
function moveTrial(world: World, before: Subscription, trialEnd: number, update: SubscriptionUpdate): void {
  applyUpdate(world, before, {
    items: update.items.map((item) => ({ ...item, current_period_end: trialEnd })),
    patch: {
      ...update.patch,
      trial_end: trialEnd,
      trial_start: before.trial_start ?? world.clock.now(),
      status: 'trialing',
      billing_cycle_anchor: trialEnd,
    },
    restarts: false,
    proration: { ...update.proration, behavior: 'none' },
  });
}

/** Makes an update, or as `payment_behavior` says where its invoice can't be paid at once. */
function makeUpdate(
  world: World,
  before: Subscription,
  { update, behavior }: { update: SubscriptionUpdate; behavior: UpdateSubscription['payment_behavior'] },
): void {
  const make = (): void => applyUpdate(world, before, update);
  const waits = behavior === 'pending_if_incomplete' || behavior === 'error_if_incomplete';
  if (!waits || isPaidAtOnce(world, before, make)) make();
  else if (behavior === 'pending_if_incomplete') holdUpdate(world, before, update);
  else throw cardDeclined();
}

export function updateSubscription(
  world: World,
  given: Subscription,
  params: UpdateSubscription,
): Subscription {
  checkUpdate(world, given, params);
  const known = given.items.data;
  const changes = params.items?.map((item, index) =>
    itemChange(world, known, { item, param: `items[${index}]` }),
  );
  const items = changes === undefined ? known : applyItemChanges(world, given, changes);
  const patch = patchOf(world, { ...given, items: { ...given.items, data: items } }, params);
  const trialEnd = params.trial_end;
  const restarts = params.billing_cycle_anchor?.type === 'now';
  // A change that waits for its payment gives way to the next one.
  if (changes !== undefined || restarts || trialEnd !== undefined) giveUpHeldChange(world, given.id);
  const before = world.tables.subscriptions.require(given.id);
  const update = { items, patch, restarts, proration: prorationOf(params) };
  if (typeof trialEnd === 'number') moveTrial(world, before, trialEnd, update);
  else makeUpdate(world, before, { update, behavior: params.payment_behavior });
  const after = world.tables.subscriptions.require(before.id);
  if (trialEnd === 'now' && after.status === 'trialing') endTrial(world, after);
  if (changes !== undefined) mirrorItems(world, before.id);
  return world.tables.subscriptions.require(before.id);
}
