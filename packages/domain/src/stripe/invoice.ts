import { z } from 'zod';
import { id } from '../ids.ts';
import type { Instant } from '../time.ts';
import { addUp, boughtItem } from './bought-items.ts';
import type { BoughtItem } from './bought-items.ts';
import { ownMetadata, userClaim } from './claims.ts';
import type { Claims } from './claims.ts';
import { flag, quantity, reference, secondsOrNull, signedAmountOrNull, words } from './fields.ts';

/** What an invoice billed for one item of a subscription: which item or price, for which period. */
export type Cover = {
  itemId: string | null;
  stripePriceId: string | null;
  periodStart: Instant;
  periodEnd: Instant;
};

/** What an invoice billed, and how much was to be paid for all of it. */
export type InvoiceDetails = {
  id: string;
  /** Null: it is no subscription's. */
  subscriptionId: string | null;
  /** Stripe's `total`, however it is paid: by payments, from the customer's balance, out of band. Null: not known. */
  total: number | null;
  /** Whole periods of a subscription's items that it charges for. Prorations are left out: they change a paid period. */
  covers: Cover[];
  /** Whatever else it sells: prices that are no item of a subscription. */
  sold: BoughtItem[];
};

export type InvoiceFacts = InvoiceDetails & {
  customerId: string | null;
  claims: Claims;
  isPaid: boolean;
  currency: string | null;
  /** False: the list of lines goes on. */
  areLinesComplete: boolean;
};

const itemDetails = z.object({ subscription_item: reference, proration: flag }).nullish();

/** Since 2025-03-31 (basil) the item, the proration and the price are in `parent` and `pricing`. */
const line = z.object({
  amount: signedAmountOrNull,
  discount_amounts: z.array(z.object({ amount: signedAmountOrNull })).nullish(),
  quantity,
  period: z.object({ start: secondsOrNull, end: secondsOrNull }).nullish(),
  proration: flag,
  subscription_item: reference,
  price: z.union([id, z.object({ id, product: reference })]).nullish(),
  plan: reference,
  parent: z
    .object({
      subscription_item_details: itemDetails,
      invoice_item_details: z.object({ proration: flag }).nullish(),
    })
    .nullish(),
  pricing: z
    .object({ price_details: z.object({ price: reference, product: reference }).nullish() })
    .nullish(),
});
type Line = z.output<typeof line>;

const subscriptionDetails = z.object({ subscription: reference, metadata: ownMetadata }).nullish();

const invoice = z.object({
  id,
  customer: reference,
  metadata: ownMetadata,
  status: words,
  paid: flag,
  total: signedAmountOrNull,
  currency: words,
  lines: z.object({ data: z.array(line), has_more: flag }).nullish(),
  /** Before 2025-03-31 (basil). */
  subscription: reference,
  subscription_details: subscriptionDetails,
  /** Since 2025-03-31 (basil). */
  parent: z.looseObject({ subscription_details: subscriptionDetails }).nullish(),
});

const isProration = ({ proration, parent }: Line): boolean =>
  proration ||
  (parent?.subscription_item_details?.proration ?? false) ||
  (parent?.invoice_item_details?.proration ?? false);

const itemOf = ({ subscription_item: old, parent }: Line): string | null =>
  parent?.subscription_item_details?.subscription_item ?? old;

const priceOf = ({ pricing, price, plan }: Line): string | null =>
  pricing?.price_details?.price ?? (typeof price === 'string' ? price : price?.id) ?? plan;

const productOf = ({ pricing, price }: Line): string | null =>
  pricing?.price_details?.product ?? (typeof price === 'object' ? (price?.product ?? null) : null);

/** Whether anything is charged for the line. Null: not said, which no API version does. */
function isCharged({ amount, discount_amounts: discounts }: Line): boolean {
  if (amount === null) return true;
  return amount - (discounts ?? []).reduce((sum, one) => sum + (one.amount ?? 0), 0) > 0;
}

/** A free period (a trial) is nothing that a refund of the same invoice could take back. */
function coverOf(one: Line): Cover[] {
  const itemId = itemOf(one);
  const { start, end } = one.period ?? { start: null, end: null };
  if (itemId === null || isProration(one) || !isCharged(one) || start === null || end === null) return [];
  return [{ itemId, stripePriceId: priceOf(one), periodStart: start, periodEnd: end }];
}

function soldIn(one: Line): BoughtItem[] {
  const stripePriceId = priceOf(one);
  if (stripePriceId === null || itemOf(one) !== null || isProration(one)) return [];
  // Negative: a credit.
  return (one.amount ?? 0) < 0 ? [] : [boughtItem(stripePriceId, one.quantity, productOf(one))];
}

/** Reads an invoice of any API version. Its own metadata claims the owner, else its subscription's. */
export const invoiceFacts = invoice.transform((whole): InvoiceFacts => {
  const details = whole.parent?.subscription_details ?? whole.subscription_details;
  const lines = whole.lines?.data ?? [];
  const own = whole.metadata.claims;
  const subscriptions = details?.metadata.claims;
  return {
    id: whole.id,
    customerId: whole.customer,
    claims: {
      projectId: own.projectId ?? subscriptions?.projectId ?? null,
      ...userClaim(own.userId ?? subscriptions?.userId ?? null, null),
    },
    subscriptionId: details?.subscription ?? whole.subscription,
    isPaid: whole.status === 'paid' || whole.paid,
    total: whole.total === null || whole.total < 0 ? null : whole.total,
    currency: whole.currency,
    covers: lines.flatMap(coverOf),
    sold: addUp(lines.flatMap(soldIn)),
    areLinesComplete: !(whole.lines?.has_more ?? false),
  };
});

/** What is kept of an invoice with its payment. */
export const toInvoiceDetails = ({ id: invoiceId, ...facts }: InvoiceFacts): InvoiceDetails => ({
  id: invoiceId,
  subscriptionId: facts.subscriptionId,
  total: facts.total,
  covers: facts.covers,
  sold: facts.sold,
});
