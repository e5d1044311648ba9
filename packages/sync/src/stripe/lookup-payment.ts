import { chargeFacts, isId, refundFacts } from '@billing/domain';
import type { ChargeDetails, PaymentDetails, PaymentQuery, StripeLookup } from '@billing/domain';
import type { Stripe } from 'stripe';
import { read, lookupLineItems } from './lookup-subscription.ts';
import type { ReadDeps } from './lookup-subscription.ts';

/** More refunds than any charge has; a bound all the same. */
const maxRefunds = 500;

/** Those that came with the charge, which are nearly always all. */
async function allRefunds({ stripe }: ReadDeps, { id, refunds }: Stripe.Charge): Promise<Stripe.Refund[]> {
  if (refunds?.has_more === false) return refunds.data;
  return stripe.refunds.list({ charge: id, limit: 100 }).autoPagingToArray({ limit: maxRefunds });
}

/** A charge with every refund of it, so that none is counted twice. */
function readCharge(deps: ReadDeps, id: string): Promise<StripeLookup<ChargeDetails>> {
  return read(deps, 'charge', async () => {
    const rendered = await deps.stripe.charges.retrieve(id, { expand: ['refunds'] });
    const charge = chargeFacts.parse(rendered);
    const refunds = (await allRefunds(deps, rendered)).map((one) => {
      const { id: refundId, status, amount, createdAt } = refundFacts.parse(one);
      return { id: refundId, status, amount: amount ?? 0, createdAt };
    });
    return { chargeId: id, amount: charge.amount, amountRefunded: charge.amountRefunded, refunds };
  });
}

/** The invoice that a PaymentIntent paid. Since 2025-03-31 only the invoice's payments say it. */
function readInvoiceOf(
  deps: ReadDeps,
  paymentIntentId: string,
): Promise<StripeLookup<{ id: string | null }>> {
  return read(deps, 'payment_intent', async () => {
    const { data } = await deps.stripe.invoicePayments.list({
      payment: { type: 'payment_intent', payment_intent: paymentIntentId },
      limit: 1,
    });
    const invoice = data[0]?.invoice;
    const id = typeof invoice === 'object' ? invoice.id : invoice;
    return { id: isId(id) ? id : null };
  });
}

const notAsked = { kind: 'found', object: null } as const;

/** Asks Stripe for all that is in doubt about a payment; one answer that does not come spoils the rest. */
export async function lookupPayment(
  deps: ReadDeps,
  query: PaymentQuery,
): Promise<StripeLookup<PaymentDetails>> {
  const lineItems = query.lineItemsOf === null ? notAsked : await lookupLineItems(deps, query.lineItemsOf);
  if (lineItems.kind !== 'found') return lineItems;
  const invoice = query.invoiceOf === null ? notAsked : await readInvoiceOf(deps, query.invoiceOf);
  if (invoice.kind !== 'found') return invoice;
  const charge = query.charge === null ? notAsked : await readCharge(deps, query.charge);
  if (charge.kind !== 'found') return charge;
  return {
    kind: 'found',
    object: { lineItems: lineItems.object, charge: charge.object, invoice: invoice.object },
  };
}
