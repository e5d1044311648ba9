import { fromStripeSeconds, toTimestamp } from '@billing/domain';
import type { ChangePreview } from '@billing/domain';
import type { Stripe } from 'stripe';
import { z } from 'zod';
import { callStripe, stripeErrorOf } from '../checkout/call-stripe.ts';
import type { StripeBudget } from '../checkout/call-stripe.ts';
import { refusalOf } from '../checkout/stripe-refusals.ts';
import type { AppDeps } from '../deps.ts';
import type { PlannedChange } from './plan-change.ts';

const isProration = z.object({ proration: z.boolean() }).nullish();

const line = z.object({
  description: z.string().nullish(),
  amount: z.number().int(),
  period: z.object({ start: z.number().int(), end: z.number().int() }),
  parent: z.object({ invoice_item_details: isProration, subscription_item_details: isProration }).nullish(),
});
type Line = z.output<typeof line>;

const previewedInvoice = z.object({
  id: z.string(),
  currency: z.string(),
  amount_due: z.number().int(),
  total: z.number().int(),
  /** When it would be made. */
  period_end: z.number().int(),
  lines: z.object({ data: z.array(line), has_more: z.boolean().nullish() }),
  parent: z
    .object({
      subscription_details: z.object({ subscription_proration_date: z.number().int().nullish() }).nullish(),
    })
    .nullish(),
});
type Previewed = z.output<typeof previewedInvoice>;

const linePage = z.object({ data: z.array(line) });
/** More than a change of 20 items makes. */
const mostLines = 100;

/** What a change costs, without the token that stands for it. */
export type Amounts = Pick<ChangePreview, 'due_now' | 'credit' | 'currency' | 'lines' | 'next_invoice'> & {
  /** The second from which prorations count; null: there are none. */
  prorationDate: number | null;
};

export type AmountsDeps = Pick<AppDeps, 'stripe' | 'logger'>;
type Details = Stripe.InvoiceCreatePreviewParams.SubscriptionDetails;

/** The invoice that Stripe would make next, with all its lines; null: it would make none. */
async function previewInvoice(
  deps: AmountsDeps,
  params: Stripe.InvoiceCreatePreviewParams,
  budget: StripeBudget,
): Promise<Previewed | null> {
  const call = { ...deps, budget };
  const found = await callStripe(call, previewedInvoice, (options) =>
    deps.stripe.invoices.createPreview(params, options),
  ).catch((error: unknown) => {
    if (stripeErrorOf(error)?.code === 'invoice_upcoming_none') return null;
    throw error;
  });
  if (found?.lines.has_more !== true) return found;
  const lines = await callStripe(call, linePage, (options) =>
    deps.stripe.invoices.listLineItems(found.id, { limit: mostLines }, options),
  ).catch((error: unknown) => {
    if (refusalOf(error) === null) throw error;
    // Stripe has forgotten the preview: what is due does not depend on its lines.
    deps.logger.warn('preview_lines_not_read', { error });
    return found.lines;
  });
  return { ...found, lines };
}

const toTime = (seconds: number): string => toTimestamp(fromStripeSeconds(seconds));

const toLines = (invoice: Previewed | null, later = 0): Amounts['lines'] =>
  (invoice?.lines.data ?? []).map(({ description, amount, period }) => ({
    description: description ?? null,
    amount,
    period: { start: toTime(period.start + later), end: toTime(period.end + later) },
  }));

const toNext = (invoice: Previewed | null, at: number | null): Amounts['next_invoice'] =>
  invoice === null ? null : { at: toTime(at ?? invoice.period_end), amount: Math.max(0, invoice.amount_due) };

/** Before the period ends an invoice is only made by the change itself. */
function isMadeNow(invoice: Previewed, { live }: PlannedChange): boolean {
  const nextEnd = Math.min(...live.items.data.map(({ periodEnd }) => periodEnd));
  return invoice.period_end < nextEnd;
}

const prorationDateOf = ({ parent }: Previewed): number | null =>
  parent?.subscription_details?.subscription_proration_date ?? null;

const isProrated = ({ parent }: Line): boolean =>
  parent?.invoice_item_details?.proration === true || parent?.subscription_item_details?.proration === true;

/** What this change alone gives back with the next invoice. */
function creditWithin(invoice: Previewed, from: number | null): number {
  const sum = invoice.lines.data
    .filter((one) => from !== null && one.period.start === from && isProrated(one))
    .reduce((total, { amount }) => total + amount, 0);
  return Math.max(0, -sum);
}

type Asked = { plan: PlannedChange; prorationDate: number | null };

async function amountsNow(
  deps: AmountsDeps,
  { plan, prorationDate }: Asked,
  budget: StripeBudget,
): Promise<Amounts> {
  const { live, items, proration } = plan;
  const details: Details = {
    items,
    proration_behavior: proration,
    ...(prorationDate === null ? {} : { proration_date: prorationDate }),
  };
  const params = { subscription: live.id, subscription_details: details };
  const invoice = await previewInvoice(deps, params, budget);
  const pinned = invoice === null ? null : prorationDateOf(invoice);
  const shown = { currency: live.currency, lines: toLines(invoice), prorationDate: pinned };
  if (invoice === null || !isMadeNow(invoice, plan)) {
    const credit = invoice === null ? 0 : creditWithin(invoice, pinned);
    return { ...shown, due_now: 0, credit, next_invoice: toNext(invoice, null) };
  }
  const next = await previewInvoice(deps, { ...params, preview_mode: 'recurring' }, budget);
  return {
    ...shown,
    due_now: Math.max(0, invoice.amount_due),
    credit: Math.max(0, -invoice.total),
    next_invoice: toNext(next, null),
  };
}

/** What the first invoice after the change bills. Another interval is previewed as if it began today. */
async function amountsLater(deps: AmountsDeps, plan: PlannedChange, budget: StripeBudget): Promise<Amounts> {
  const { live, items, periodEnd } = plan;
  const details: Details = { items, proration_behavior: 'none' };
  const invoice = await previewInvoice(
    deps,
    { subscription: live.id, subscription_details: details },
    budget,
  );
  const later = invoice !== null && isMadeNow(invoice, plan) ? periodEnd - invoice.period_end : 0;
  return {
    due_now: 0,
    credit: 0,
    currency: live.currency,
    lines: toLines(invoice, later),
    next_invoice: toNext(invoice, periodEnd),
    prorationDate: null,
  };
}

/** Nothing changes: what comes next in any case. */
async function amountsOfNothing(
  deps: AmountsDeps,
  { live }: PlannedChange,
  budget: StripeBudget,
): Promise<Amounts> {
  const invoice = await previewInvoice(deps, { subscription: live.id }, budget);
  const none = { due_now: 0, credit: 0, lines: [], prorationDate: null };
  return { ...none, currency: live.currency, next_invoice: toNext(invoice, null) };
}

/** What a change costs by Stripe's own preview; with `prorationDate` as at that second. */
export function readAmounts(
  deps: AmountsDeps,
  { plan, prorationDate }: Asked,
  budget: StripeBudget,
): Promise<Amounts> {
  if (!plan.isChange) return amountsOfNothing(deps, plan, budget);
  return plan.effective === 'now'
    ? amountsNow(deps, { plan, prorationDate }, budget)
    : amountsLater(deps, plan, budget);
}
