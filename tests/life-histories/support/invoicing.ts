import type { Life } from './life.ts';
import { finishPayment } from './paying.ts';
import { renderInvoice, renderInvoiceLine, renderInvoicePayment } from './stripe-objects.ts';
import type { Invoice, InvoiceLine, Payment } from './stripe-objects.ts';

export type Outcome = 'paid' | 'failed';

export type LineParts = Pick<InvoiceLine, 'price' | 'amount'> & Partial<InvoiceLine>;

export type InvoiceParts = {
  subscription?: string | null;
  lines: LineParts[];
  /** What each payment pays; the rest is paid from the customer's balance or out of band. Default: one pays all. */
  payments?: number[];
  metadata?: Record<string, string>;
  outcome?: Outcome;
  /** False: its own events are lost. */
  isHeard?: boolean;
};

function invoiceOf(life: Life, parts: InvoiceParts): Invoice {
  const { subscription = null, outcome = 'paid' } = parts;
  const lines = parts.lines.map((line) => ({
    id: life.newId('il'),
    item: null,
    isProration: false,
    quantity: 1,
    start: life.now(),
    end: life.now(),
    ...line,
  }));
  return {
    id: life.newId('in'),
    customer: life.customer,
    metadata: parts.metadata ?? {},
    subscription,
    subscriptionMetadata: subscription === null ? {} : life.metadata,
    status: outcome === 'paid' ? 'paid' : 'open',
    lines,
    total: lines.reduce((sum, line) => sum + line.amount, 0),
    created: life.now(),
  };
}

export type Billed = { id: string; payments: Payment[] };

/** An invoice and how its payments end, with their events. `begin`: before its first event. */
export function bill(life: Life, parts: InvoiceParts, begin: (id: string) => void = () => undefined): Billed {
  const invoice = invoiceOf(life, parts);
  const { outcome = 'paid', isHeard = true } = parts;
  const amounts = parts.payments ?? (invoice.total > 0 ? [invoice.total] : []);
  begin(invoice.id);
  life.put(renderInvoice(invoice, 'pinned'));
  for (const line of invoice.lines) life.put(renderInvoiceLine(invoice.id, line, 'pinned'));
  const payments = amounts.map((amount): Payment => {
    const payment: Payment = {
      intent: life.newId('pi'),
      charge: life.newId('ch'),
      customer: life.customer,
      metadata: {},
      invoice: invoice.id,
      status: outcome === 'paid' ? 'succeeded' : 'failed',
      amount,
      amountRefunded: 0,
      isDisputed: false,
      created: life.now(),
    };
    life.put(renderInvoicePayment(invoice.id, payment));
    return finishPayment(life, payment);
  });
  const rendered = renderInvoice(invoice, life.shape);
  if (!isHeard) return { id: invoice.id, payments };
  life.emit(outcome === 'paid' ? 'invoice.paid' : 'invoice.payment_failed', rendered);
  if (outcome === 'paid' && payments.length > 0) life.emit('invoice.payment_succeeded', rendered);
  return { id: invoice.id, payments };
}
