import { chargeFacts, isId, refundFacts } from '@billing/domain';
import type { BoughtItem, ChargeDetails, PaymentDetails, PaymentQuery, StripeLookup } from '@billing/domain';
import type { Stripe } from 'stripe';
import type { SyncDeps } from '../deps.ts';
import { askStripe } from './ask-stripe.ts';
import { checkPage } from './check-page.ts';

type LookupDeps = Pick<SyncDeps, 'stripe' | 'budget' | 'logger' | 'counters'>;

/** More than any session has line items, or any charge refunds; a bound all the same. */
const maxEntries = 500;

/** What a checkout session sold: one entry for each price. */
function lookupLineItems(deps: LookupDeps, sessionId: string): Promise<StripeLookup<BoughtItem[]>> {
  return askStripe(deps, 'checkout_session', async () => {
    const lines = await deps.stripe.checkout.sessions
      .listLineItems(sessionId, { limit: 100 })
      .autoPagingToArray({ limit: maxEntries });
    const bought = new Map<string, number>();
    for (const line of lines) {
      const priceId = line.price?.id;
      if (isId(priceId)) bought.set(priceId, (bought.get(priceId) ?? 0) + (line.quantity ?? 1));
    }
    return [...bought]
      .map(([stripePriceId, quantity]) => ({ stripePriceId, quantity }))
      .sort((a, b) => (a.stripePriceId < b.stripePriceId ? -1 : 1));
  });
}

/** Those that came with the charge, which are nearly always all. */
async function allRefunds({ stripe }: LookupDeps, { id, refunds }: Stripe.Charge): Promise<Stripe.Refund[]> {
  if (refunds?.has_more === false) return refunds.data;
  return stripe.refunds.list({ charge: id, limit: 100 }).autoPagingToArray({ limit: maxEntries });
}

/** A charge with all its refunds, so that none is counted twice. */
function lookupCharge(deps: LookupDeps, id: string): Promise<StripeLookup<ChargeDetails>> {
  return askStripe(deps, 'charge', async () => {
    const rendered = await deps.stripe.charges.retrieve(id, { expand: ['refunds'] });
    const charge = chargeFacts.parse(rendered);
    const refunds = (await allRefunds(deps, rendered)).map((one) => {
      const { id: refundId, status, amount, createdAt } = refundFacts.parse(one);
      return { id: refundId, status, amount: amount ?? 0, createdAt };
    });
    return { chargeId: id, amount: charge.amount, amountRefunded: charge.amountRefunded, refunds };
  });
}

/** The invoice that a PaymentIntent paid. Since API version 2025-03-31 only the invoice's payments name it. */
function lookupInvoiceOf(
  deps: LookupDeps,
  paymentIntentId: string,
): Promise<StripeLookup<{ id: string | null }>> {
  return askStripe(deps, 'payment_intent', async () => {
    const payments = await deps.stripe.invoicePayments.list({
      payment: { type: 'payment_intent', payment_intent: paymentIntentId },
      limit: 1,
    });
    const { data } = checkPage(payments);
    const invoice = data[0]?.invoice;
    const id = typeof invoice === 'object' ? invoice.id : invoice;
    return { id: isId(id) ? id : null };
  });
}

const notAsked = { kind: 'found', object: null } as const;

/** Asks Stripe for everything that a payment's query names; without one of the answers the others are discarded. */
export async function lookupPayment(
  deps: LookupDeps,
  query: PaymentQuery,
): Promise<StripeLookup<PaymentDetails>> {
  const lineItems = query.lineItemsOf === null ? notAsked : await lookupLineItems(deps, query.lineItemsOf);
  if (lineItems.kind !== 'found') return lineItems;
  const invoice = query.invoiceOf === null ? notAsked : await lookupInvoiceOf(deps, query.invoiceOf);
  if (invoice.kind !== 'found') return invoice;
  const charge = query.charge === null ? notAsked : await lookupCharge(deps, query.charge);
  if (charge.kind !== 'found') return charge;
  return {
    kind: 'found',
    object: { lineItems: lineItems.object, charge: charge.object, invoice: invoice.object },
  };
}
