import { invalid } from '../errors.ts';
import { emit } from '../events/emit.ts';
import { newId } from '../ids.ts';
import { isMetered } from '../objects/catalog.ts';
import { invoiceItemLine, lineObject } from '../objects/invoice-line.ts';
import { invoiceObject, sumsOf, type BillingReason } from '../objects/invoice.ts';
import type {
  Discount,
  Invoice,
  InvoiceItem,
  InvoiceLine,
  Subscription,
  SubscriptionItem,
} from '../stripe-objects.ts';
import type { World } from '../world.ts';
import { daySeconds } from './calendar.ts';
import { changeBalance } from './customer-balance.ts';
import { discountLines, discountsInForce, keptDiscounts } from './discounts.ts';
import { dropHeldChange, heldBy } from './held-change.ts';
import { pendingItems } from './invoice-items.ts';
import { changeSubscription } from './subscription-changes.ts';

type Terms = Pick<Invoice, 'collection_method'> & { daysUntilDue: number | null; dueDate?: number | null };

export type NewInvoice = {
  id?: string;
  subscription: Subscription;
  items: SubscriptionItem[];
  reason: BillingReason;
  period: { start: number; end: number };
  /** Lines of what meters counted in periods that are over. */
  usage?: InvoiceLine[];
  finalizesAt?: number | null;
};

type Draft = {
  id: string;
  customer: string;
  currency: string;
  subscription: Subscription | null;
  lines: InvoiceLine[];
  items: InvoiceItem[];
  discounts: Discount[];
  reason: BillingReason;
  period: { start: number; end: number };
  terms: Terms;
  finalizesAt: number | null;
  patch?: Partial<Invoice>;
};

function dueDateOf(world: World, { collection_method: method, daysUntilDue, dueDate }: Terms): number | null {
  if (method !== 'send_invoice') return null;
  return dueDate ?? world.clock.now() + (daysUntilDue ?? 30) * daySeconds;
}

function insertDraft(world: World, draft: Draft): Invoice {
  const taken = draft.items.map((item) => world.tables.invoiceItems.update(item, { invoice: draft.id }));
  const lines = [...taken.map((item) => invoiceItemLine(item, draft.id)), ...draft.lines];
  const made = invoiceObject({
    ...draft,
    created: world.clock.now(),
    customer: { id: draft.customer, row: world.tables.customers.get(draft.customer) },
    lines: discountLines(world, lines, draft.discounts),
    collectionMethod: draft.terms.collection_method,
    dueDate: dueDateOf(world, draft.terms),
    discounts: draft.discounts.map(({ id }) => id),
  });
  const invoice = world.tables.invoices.insert({ ...made, ...draft.patch });
  emit(world, 'invoice.created', invoice);
  return invoice;
}

/** A draft for the items' current periods, and for the invoice items that wait for one. */
export function draftInvoice(world: World, fields: NewInvoice): Invoice {
  const { subscription, items, usage = [] } = fields;
  const { customer, currency } = subscription;
  const id = fields.id ?? newId('in');
  const paidAhead = items.filter(({ price }) => fields.reason === 'subscription_create' || !isMetered(price));
  const lines = paidAhead.map((item) =>
    lineObject(item, {
      invoice: id,
      period: { start: item.current_period_start, end: item.current_period_end },
      isTrial: subscription.status === 'trialing',
    }),
  );
  const invoice = insertDraft(world, {
    ...fields,
    id,
    customer,
    currency,
    lines: [...lines, ...usage],
    items: pendingItems(world, { customer, currency, subscription: subscription.id }),
    discounts: discountsInForce(world, subscription),
    terms: { ...subscription, daysUntilDue: subscription.days_until_due },
    finalizesAt: fields.finalizesAt ?? null,
  });
  if (subscription.discounts.length > 0 && invoice.subtotal > 0) {
    changeSubscription(world, subscription.id, { discounts: keptDiscounts(world, subscription) });
  }
  return invoice;
}

export type NewOwnInvoice = {
  customer: string;
  currency: string;
  subscription: Subscription | null;
  items: InvoiceItem[];
  terms: Terms;
  discounts?: Discount[];
  finalizesAt?: number | null;
  patch?: Partial<Invoice>;
};

/** A draft that a call makes, not a subscription's period. */
export function draftOwnInvoice(world: World, fields: NewOwnInvoice): Invoice {
  const now = world.clock.now();
  return insertDraft(world, {
    discounts: [],
    finalizesAt: null,
    ...fields,
    id: newId('in'),
    lines: [],
    reason: 'manual',
    period: { start: now, end: now },
  });
}

/** Replaces the lines of a draft. */
export function changeLines(world: World, draft: Invoice, lines: InvoiceLine[]): Invoice {
  const discounts = draft.discounts.flatMap((id) => world.tables.discounts.get(id) ?? []);
  const plain = lines.map((line) => ({ ...line, discount_amounts: [] }));
  const data = discountLines(world, plain, discounts);
  return world.tables.invoices.update(draft, { ...sumsOf(data), lines: { ...draft.lines, data } });
}

/** What the customer has in credit pays first, what they owe is added; a negative total becomes credit. */
function takeUpBalance(world: World, draft: Invoice): Partial<Invoice> {
  const customer = world.tables.customers.get(draft.customer ?? '');
  const isSame = customer?.currency === null || customer?.currency === draft.currency;
  const balance = isSame ? (customer?.balance ?? 0) : 0;
  const due = Math.max(0, draft.total + balance);
  const ending = draft.total + balance - due;
  if (customer !== undefined && ending !== balance) {
    const change = { amount: ending - balance, currency: draft.currency, invoice: draft.id };
    changeBalance(world, customer, { ...change, type: 'applied_to_invoice' });
  }
  return { amount_due: due, amount_remaining: due, starting_balance: balance, ending_balance: ending };
}

/** Draft → open. */
export function finalizeInvoice(world: World, draft: Invoice, { takesBalance = true } = {}): Invoice {
  const now = world.clock.now();
  const sequence = world.tables.invoices.size();
  const invoice = world.tables.invoices.update(draft, {
    ...(takesBalance ? takeUpBalance(world, draft) : {}),
    status: 'open',
    number: `OFFLINE-${String(sequence).padStart(4, '0')}`,
    automatically_finalizes_at: null,
    effective_at: now,
    hosted_invoice_url: `${world.publicUrl()}/i/${draft.id}`,
    invoice_pdf: `${world.publicUrl()}/i/${draft.id}/pdf`,
    status_transitions: { ...draft.status_transitions, finalized_at: now },
  });
  emit(world, 'invoice.finalized', invoice);
  return invoice;
}

/** An attempt failed; `nextAttempt` is when the next follows, if any does. */
export function markFailed(world: World, open: Invoice, nextAttempt: number | null): Invoice {
  const invoice = world.tables.invoices.update(open, {
    attempted: true,
    attempt_count: open.attempt_count + 1,
    next_payment_attempt: nextAttempt,
  });
  emit(world, 'invoice.payment_failed', invoice);
  return invoice;
}

/** Draft or open → void; a balance that it had taken up is the customer's again. */
export function voidInvoice(world: World, invoice: Invoice): Invoice {
  if (invoice.status !== 'open' && invoice.status !== 'uncollectible' && invoice.status !== 'draft') {
    throw invalid(
      'You can only pass in open or uncollectible invoices. This invoice cannot be voided.',
      'id',
    );
  }
  const taken = (invoice.ending_balance ?? invoice.starting_balance) - invoice.starting_balance;
  const customer = world.tables.customers.get(invoice.customer ?? '');
  if (taken !== 0 && customer !== undefined) {
    const change = { amount: -taken, currency: invoice.currency, invoice: invoice.id };
    changeBalance(world, customer, { ...change, type: 'unapplied_from_invoice' });
  }
  const voided = world.tables.invoices.update(invoice, {
    status: 'void',
    auto_advance: false,
    next_payment_attempt: null,
    status_transitions: { ...invoice.status_transitions, voided_at: world.clock.now() },
  });
  emit(world, 'invoice.voided', voided);
  const held = heldBy(world, voided);
  if (held !== undefined) dropHeldChange(world, held);
  return voided;
}

export function markUncollectible(world: World, invoice: Invoice): Invoice {
  if (invoice.status !== 'open') {
    throw invalid('This invoice is not open, so it cannot be marked uncollectible.', 'id');
  }
  const uncollectible = world.tables.invoices.update(invoice, {
    status: 'uncollectible',
    auto_advance: false,
    next_payment_attempt: null,
    status_transitions: { ...invoice.status_transitions, marked_uncollectible_at: world.clock.now() },
  });
  emit(world, 'invoice.marked_uncollectible', uncollectible);
  return uncollectible;
}
