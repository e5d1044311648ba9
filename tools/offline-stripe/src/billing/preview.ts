import { StripeApiError } from '../errors.ts';
import { newId } from '../ids.ts';
import type { Invoice, Subscription } from '../stripe-objects.ts';
import type { World } from '../world.ts';
import { nextDueOfSubscription } from './due.ts';
import { finalizeInvoice } from './invoices.ts';

/** More moments than lie before a subscription's next invoice. */
const mostMoments = 20;

/** The invoice that a subscription gets next, with all that comes before it. */
function nextInvoice(world: World, id: string, latest: string | null): string | null {
  for (let moment = 0; moment < mostMoments; moment += 1) {
    const subscription = world.tables.subscriptions.require(id);
    if (subscription.latest_invoice !== latest) return subscription.latest_invoice;
    const due = nextDueOfSubscription(world, subscription);
    if (due === null) return null;
    world.clock.runAt(Math.max(due.at, world.clock.now()), () => due.run(world));
  }
  return null;
}

function noneUpcoming(customer: string): StripeApiError {
  return new StripeApiError({
    status: 404,
    code: 'invoice_upcoming_none',
    message: `No upcoming invoices for customer: ${customer}`,
  });
}

/** An invoice that was only rehearsed, as a draft that nobody can find. */
function asPreview(invoice: Invoice, prorationDate: number | null): Invoice {
  const id = `upcoming_${newId('in')}`;
  const { parent } = invoice;
  const details = parent?.subscription_details;
  return {
    ...invoice,
    id,
    amount_paid: 0,
    amount_remaining: invoice.amount_due,
    attempt_count: 0,
    attempted: false,
    auto_advance: false,
    automatically_finalizes_at: null,
    billing_reason: 'upcoming',
    effective_at: null,
    hosted_invoice_url: null,
    invoice_pdf: null,
    lines: {
      ...invoice.lines,
      data: invoice.lines.data.map((line) => ({ ...line, id: newId('il_tmp'), invoice: id })),
      url: `/v1/invoices/${id}/lines`,
    },
    next_payment_attempt: null,
    number: null,
    ...(prorationDate !== null && parent !== null && details
      ? {
          parent: {
            ...parent,
            subscription_details: { ...details, subscription_proration_date: prorationDate },
          },
        }
      : {}),
    status: 'draft',
    status_transitions: { finalized_at: null, marked_uncollectible_at: null, paid_at: null, voided_at: null },
  };
}

type Rehearsed = {
  /** Makes what is previewed, and returns the subscription as it was before. */
  change: () => Subscription;
  /** Not what the change bills at once, but what comes at the end of the period, without prorations. */
  isRecurring: boolean;
  /** From when prorations count; null: there are none. */
  prorationDate: number | null;
};

/**
 * The invoice that a change of a subscription would make, or the next one where it makes none. The change is made as it would be
 * and taken back, so the same change with the same `proration_date` bills the same.
 */
export function previewInvoice(world: World, { change, isRecurring, prorationDate }: Rehearsed): Invoice {
  return world.rehearse(() => {
    const { id, customer, latest_invoice: latest } = change();
    const from = isRecurring ? world.tables.subscriptions.require(id).latest_invoice : latest;
    if (isRecurring) forgetProrations(world, customer);
    const made = world.tables.invoices.get(nextInvoice(world, id, from) ?? '');
    if (made === undefined) throw noneUpcoming(customer);
    return asPreview(made.status === 'draft' ? finalizeInvoice(world, made) : made, prorationDate);
  });
}

function forgetProrations(world: World, customer: string): void {
  for (const item of world.tables.invoiceItems.by(customer))
    if (item.invoice === null && item.proration) world.tables.invoiceItems.remove(item.id);
}
