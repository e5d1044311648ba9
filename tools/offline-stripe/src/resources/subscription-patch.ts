import type { z } from 'zod';

import type { ItemChange } from '../billing/change-items.ts';
import { earliestPeriodEnd } from '../billing/subscription-changes.ts';
import { invalid } from '../errors.ts';
import { mergeMetadata } from '../http/params.ts';
import type { Subscription } from '../stripe-objects.ts';
import type { World } from '../world.ts';
import { knownPrice } from './prices.ts';
import type { itemChangeParams } from './subscription-params.ts';

export interface EndParams {
  cancel_at?: number | 'min_period_end' | 'max_period_end' | null | undefined;
  cancel_at_period_end?: boolean | undefined;
}

/**
 * The two ways to end later. `cancel_at_period_end` also shows as `cancel_at` (the earliest item's end); a bare
 * `cancel_at` leaves the boolean false, which is how the customer portal cancels.
 */
export function endPatch(world: World, subscription: Subscription, params: EndParams): Partial<Subscription> {
  const now = world.clock.now();
  const { cancel_at: at, cancel_at_period_end: atPeriodEnd } = params;
  const requested: Partial<Subscription> = {
    canceled_at: now,
    cancellation_details: {
      comment: null,
      feedback: null,
      feedback_option: null,
      reason: 'cancellation_requested',
    },
  };
  const kept: Partial<Subscription> = {
    canceled_at: null,
    cancel_at: null,
    cancel_at_period_end: false,
    cancellation_details: { comment: null, feedback: null, feedback_option: null, reason: null },
  };
  const ends = subscription.items.data.map((item) => item.current_period_end);
  if (atPeriodEnd === true) {
    if (at !== undefined && at !== null) {
      throw invalid(
        'You may only specify one of these parameters: cancel_at, cancel_at_period_end.',
        'cancel_at',
      );
    }
    return {
      ...requested,
      cancel_at_period_end: true,
      cancel_at: earliestPeriodEnd(subscription.items.data),
    };
  }
  if (at === null) return kept;
  if (at !== undefined) {
    const moment =
      at === 'min_period_end' ? Math.min(...ends) : at === 'max_period_end' ? Math.max(...ends) : at;
    if (moment <= now) throw invalid('The subscription cannot be canceled in the past.', 'cancel_at');
    return { ...requested, cancel_at: moment, cancel_at_period_end: false };
  }
  return atPeriodEnd === false && subscription.cancel_at_period_end ? kept : {};
}

export function itemChanges(world: World, items: z.infer<typeof itemChangeParams>[]): ItemChange[] {
  return items.map((item, index) => ({
    id: item.id ?? null,
    price: item.price === undefined ? null : knownPrice(world, item.price, `items[${index}][price]`),
    quantity: item.quantity ?? null,
    isDeleted: item.deleted ?? false,
    metadata: item.metadata === undefined ? null : mergeMetadata({}, item.metadata),
  }));
}
