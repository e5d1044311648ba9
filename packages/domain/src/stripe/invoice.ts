import { z } from 'zod';
import { id } from '../ids.ts';
import type { Instant } from '../time.ts';
import { flag, reference, secondsOrNull, words } from './fields.ts';

/** A paid invoice of a subscription's period, by which its payment is found. The newest pays the current period. */
export type PaidInvoice = { id: string; createdAt: Instant };

export type InvoiceFacts = {
  id: string;
  customerId: string | null;
  subscriptionId: string | null;
  status: string | null;
  /** Set if the invoice is paid and bills a whole period, not only a change within one. */
  paidPeriod: PaidInvoice | null;
};

/** Whether a line is a proration: since 2025-03-31 (basil) a field of the line's parent. */
const proration = z.object({ proration: flag }).nullish();
const line = z.object({
  proration: flag,
  parent: z.object({ subscription_item_details: proration, invoice_item_details: proration }).nullish(),
});

const billing = {
  status: words,
  paid: flag,
  created: secondsOrNull,
  billing_reason: words,
  lines: z.object({ data: z.array(line) }).nullish(),
};

const invoice = z.object({
  id,
  customer: reference,
  ...billing,
  /** Before 2025-03-31 (basil). */
  subscription: reference,
  subscription_details: z.object({ subscription: reference }).nullish(),
  /** Since 2025-03-31 (basil). */
  parent: z.looseObject({ subscription_details: z.object({ subscription: reference }).nullish() }).nullish(),
});

const billed = z.object({ id, ...billing });
type Billed = z.output<typeof billed>;

const isProration = ({ proration: isOldStyle, parent }: z.output<typeof line>): boolean =>
  isOldStyle ||
  (parent?.subscription_item_details?.proration ?? false) ||
  (parent?.invoice_item_details?.proration ?? false);

/** Stripe: a change within a period bills only prorations; one that starts a new period bills that as well. */
function billsPeriod({ billing_reason: reason, lines }: Billed): boolean {
  if (reason === 'subscription_update') return (lines?.data ?? []).some((one) => !isProration(one));
  return reason !== 'manual' && reason !== 'subscription_threshold';
}

function paidPeriodOf(whole: Billed): PaidInvoice | null {
  const isPaid = whole.status === 'paid' || whole.paid;
  return isPaid && whole.created !== null && billsPeriod(whole)
    ? { id: whole.id, createdAt: whole.created }
    : null;
}

/** A subscription's `latest_invoice`, expanded. */
export const paidInvoice = billed.transform(paidPeriodOf);

/** Reads an invoice of any API version. */
export const invoiceFacts = invoice.transform((whole): InvoiceFacts => ({
  id: whole.id,
  customerId: whole.customer,
  subscriptionId:
    whole.parent?.subscription_details?.subscription ??
    whole.subscription ??
    whole.subscription_details?.subscription ??
    null,
  status: whole.status,
  paidPeriod: paidPeriodOf(whole),
}));
