import { id, itemPriceOf, ServiceError, subscriptionStatuses, waitsForResumption } from '@billing/domain';
import { z } from 'zod';
import { callStripe, stripeErrorOf } from '../checkout/call-stripe.ts';
import type { StripeBudget } from '../checkout/call-stripe.ts';
import type { AppDeps } from '../deps.ts';

/** Whole Unix seconds, as Stripe writes and takes them. */
const unixSeconds = z.number().int().min(0);
const word = z
  .string()
  .nullish()
  .transform((value) => value ?? null);
const idOf = z
  .union([id, z.looseObject({ id })])
  .transform((value) => (typeof value === 'string' ? value : value.id));

const item = z
  .object({
    id,
    quantity: z.number().int().min(0).nullish(),
    current_period_start: unixSeconds,
    current_period_end: unixSeconds,
    price: z.looseObject({ id }),
  })
  .transform(({ price, ...rendered }) => {
    const quantity = rendered.quantity ?? 1;
    return {
      itemId: rendered.id,
      stripePriceId: price.id,
      quantity,
      periodStart: rendered.current_period_start,
      periodEnd: rendered.current_period_end,
      ...itemPriceOf(price, quantity),
    };
  });
export type LiveItem = z.output<typeof item>;

const discount = z
  .object({ coupon: idOf.nullish(), discount: idOf.nullish(), promotion_code: idOf.nullish() })
  // Of these Stripe takes one; the discount keeps what is left of its time.
  .transform(({ discount: running, promotion_code: code, coupon }) => {
    if (typeof running === 'string') return { discount: running };
    return typeof code === 'string' ? { promotion_code: code } : { coupon: coupon ?? '' };
  });

const taxRates = z
  .array(idOf)
  .nullish()
  .transform((rates) => rates ?? []);
const discounts = z
  .array(discount)
  .nullish()
  .transform((all) => all ?? []);
const metadata = z
  .record(z.string(), z.string())
  .nullish()
  .transform((all) => all ?? {});

const phaseItem = z.object({
  price: idOf,
  quantity: z.number().int().min(0).nullish(),
  metadata,
  tax_rates: taxRates,
  discounts,
});

const phase = z.object({
  start_date: unixSeconds,
  end_date: unixSeconds,
  items: z.array(phaseItem),
  discounts,
  default_tax_rates: taxRates,
  metadata,
  trial_end: unixSeconds.nullish(),
});
export type Phase = z.output<typeof phase>;

/** A schedule with its phases, as Stripe answers when it is made. */
export const schedule = z.object({
  id,
  current_phase: z.object({ start_date: unixSeconds, end_date: unixSeconds }).nullish(),
  phases: z.array(phase),
});
export type Schedule = z.output<typeof schedule>;

const pendingUpdate = z.object({
  expires_at: unixSeconds,
  subscription_items: z
    .array(z.object({ id: id.nullish(), quantity: z.number().int().nullish(), price: idOf }))
    .nullish(),
});

const invoice = z.object({
  id,
  status: word,
  created: unixSeconds.nullish(),
  hosted_invoice_url: z.url().nullish(),
});

/** A subscription as Stripe has it at this moment, with all that a change has to know. */
export const liveSubscription = z
  .object({
    id,
    status: z.enum(subscriptionStatuses),
    currency: z.string(),
    collection_method: word,
    cancel_at: unixSeconds.nullish(),
    cancel_at_period_end: z.boolean().nullish(),
    pause_collection: z.looseObject({}).nullish(),
    items: z.object({ data: z.array(item), has_more: z.boolean().nullish() }),
    schedule: z.union([schedule, id]).nullish(),
    pending_update: pendingUpdate.nullish(),
    status_details: z
      .object({ paused: z.object({ transitioned_at: unixSeconds.nullish() }).nullish() })
      .nullish(),
    latest_invoice: z.union([invoice, id]).nullish(),
  })
  .transform(({ latest_invoice: latest, schedule: managing, ...rest }) => ({
    ...rest,
    schedule: typeof managing === 'object' ? managing : null,
    latestInvoice: typeof latest === 'object' ? latest : null,
  }));
export type LiveSubscription = z.output<typeof liveSubscription>;

/** Whether something waits for a payment: a change, or the resumption of a paused subscription. */
export function waitsForPayment(live: LiveSubscription): boolean {
  const { status, pending_update: waiting, latestInvoice: latest, status_details: details } = live;
  if (waiting !== null && waiting !== undefined) return true;
  const pausedAt = details?.paused?.transitioned_at ?? null;
  if (latest === null) return false;
  return waitsForResumption({ status, pausedAt, invoice: { ...latest, createdAt: latest.created ?? null } });
}

/** The same beside Stripe's whole answer. */
export const liveAnswer = z.unknown().transform((answer, context) => {
  const live = liveSubscription.safeParse(answer);
  if (live.success) return { answer, live: live.data };
  for (const { message, path } of live.error.issues)
    context.addIssue({ code: 'custom', message, path: [...path] });
  return z.NEVER;
});
export type LiveAnswer = z.output<typeof liveAnswer>;

/** What has to be expanded for it. */
export const expandLive = ['latest_invoice', 'schedule'];

const itemPage = z.object({ data: z.array(item) });
/** More than Stripe lets a subscription have. */
const mostItems = 100;

/** Reads a subscription from Stripe. Throws `subscription_not_found` where Stripe has none, and what `callStripe` throws. */
export async function readLive(
  deps: Pick<AppDeps, 'stripe' | 'logger'>,
  subscriptionId: string,
  budget: StripeBudget,
): Promise<LiveSubscription> {
  const call = { ...deps, budget };
  const found = await callStripe(call, liveSubscription, (options) =>
    deps.stripe.subscriptions.retrieve(subscriptionId, { expand: expandLive }, options),
  ).catch((error: unknown) => {
    if (stripeErrorOf(error)?.code !== 'resource_missing') throw error;
    throw new ServiceError('subscription_not_found', 'Stripe does not have the subscription any more.', {
      cause: error,
    });
  });
  if (found.items.has_more !== true) return found;
  const all = await callStripe(call, itemPage, (options) =>
    deps.stripe.subscriptionItems.list({ subscription: subscriptionId, limit: mostItems }, options),
  );
  return { ...found, items: { data: all.data, has_more: false } };
}
