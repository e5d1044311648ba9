import { z } from 'zod';

import { billLast } from '../billing/last-bill.ts';
import { previewInvoice } from '../billing/preview.ts';
import { startSubscription } from '../billing/start-subscription.ts';
import { endSubscription } from '../billing/subscription-changes.ts';
import { invalid, StripeApiError } from '../errors.ts';
import { body, flag, moment, text, unset } from '../http/params.ts';
import type { Invoice, Subscription } from '../stripe-objects.ts';
import type { World } from '../world.ts';
import { discountParams, redeemablesOf } from './discount-params.ts';
import { requirePrice, requireUncounted } from './subscription-choices.ts';
import { anchorParams, cancelAt, itemChanges, prorationParams } from './subscription-params.ts';
import { updateSubscription } from './update-subscription.ts';

const detailParams = z.strictObject({
  ...prorationParams,
  billing_cycle_anchor: anchorParams.optional(),
  cancel_at: cancelAt.optional(),
  cancel_at_period_end: flag.optional(),
  cancel_now: flag.optional(),
  items: itemChanges.optional(),
  trial_end: moment.optional(),
});

export const previewParams = body({
  customer: text.optional(),
  subscription: text.optional(),
  schedule: text.optional(),
  discounts: z.union([unset, discountParams]).optional(),
  preview_mode: z.enum(['next', 'recurring']).optional(),
  subscription_details: detailParams.optional(),
});
type CreatePreview = z.infer<typeof previewParams>;

/** Refusals name parameters as they are nested in this call. */
function nested<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof StripeApiError) || error.param === null || error.param === 'customer') throw error;
    const isOwn = error.param === 'subscription' || error.param.startsWith('discounts');
    const param = isOwn
      ? error.param
      : error.param.replace(/^([a-z_]+)/, (name) => `subscription_details[${name}]`);
    const { status, type, message, more, code } = error;
    throw new StripeApiError({ status, type, message, more, param, ...(code === null ? {} : { code }) });
  }
}

function subscriptionOf(world: World, params: CreatePreview): Subscription | null {
  const { schedule: scheduleId, subscription: id } = params;
  const scheduled =
    scheduleId === undefined ? null : world.tables.schedules.require(scheduleId, 'schedule').subscription;
  const wanted = id ?? scheduled;
  if (wanted === null) return null;
  const subscription = world.tables.subscriptions.require(wanted, 'subscription');
  if (params.customer !== undefined && params.customer !== subscription.customer) {
    throw invalid(
      `The subscription ${wanted} does not belong to the customer ${params.customer}.`,
      'subscription',
    );
  }
  return subscription;
}

function changeIt(world: World, subscription: Subscription, params: CreatePreview): Subscription {
  const { cancel_now: cancels = false, ...details } = params.subscription_details ?? {};
  const { discounts } = params;
  if (Object.keys(details).length > 0 || discounts !== undefined)
    updateSubscription(world, subscription, { ...details, discounts });
  if (!cancels) return subscription;
  billLast(world, subscription.id, { prorate: details.proration_behavior !== 'none', invoice_now: true });
  endSubscription(world, subscription.id, 'cancellation_requested');
  return subscription;
}

/** A subscription that does not exist yet: its first invoice. */
function startIt(world: World, params: CreatePreview): Subscription {
  const { items, trial_end: trialEnd } = params.subscription_details ?? {};
  if (items === undefined || params.customer === undefined) {
    throw invalid(
      'You must provide at least one of: `subscription`, `schedule`, `subscription_details.items`, `schedule_details.phases`, `invoice_items`.',
    );
  }
  const customer = world.tables.customers.require(params.customer, 'customer').id;
  const started = startSubscription(world, {
    customer,
    items: items.map(({ price = '', quantity }, index) => ({
      price: requireUncounted(
        requirePrice(world, { id: price, type: 'recurring' }, `items[${index}][price]`),
        quantity,
        `items[${index}][quantity]`,
      ),
      quantity: quantity ?? 1,
    })),
    discounts: redeemablesOf(world, params.discounts ?? [], { customer }),
    paymentMethod: null,
    trialEnd: typeof trialEnd === 'number' ? trialEnd : null,
    missingPaymentMethod: 'create_invoice',
    metadata: {},
    description: null,
    collectionMethod: 'charge_automatically',
    payment: { kind: 'wait' },
  });
  return { ...started, latest_invoice: null };
}

/** `POST /v1/invoices/create_preview`: what a change would bill, or what comes next. Nothing is changed. */
export function createPreview(world: World, params: CreatePreview): Invoice {
  const subscription = subscriptionOf(world, params);
  const details = params.subscription_details;
  const prorates =
    details?.proration_behavior !== 'none' &&
    (details?.items !== undefined ||
      details?.billing_cycle_anchor?.type === 'now' ||
      details?.cancel_now === true);
  return previewInvoice(world, {
    change: () =>
      nested(() => (subscription === null ? startIt(world, params) : changeIt(world, subscription, params))),
    isRecurring: params.preview_mode === 'recurring',
    prorationDate: prorates ? (details?.proration_date ?? world.clock.now()) : null,
  });
}
