import {
  addUp,
  boughtItem,
  captureOfCharge,
  captureOfIntent,
  chargeFacts,
  fromStripeSeconds,
  invoiceFacts,
  isId,
  paymentIntentFacts,
  productOfPrice,
  refundFacts,
  toInvoiceDetails,
} from '@billing/domain';
import type {
  BoughtItem,
  ChargeDetails,
  Instant,
  IntentDetails,
  InvoiceDetails,
  PaymentDetails,
  PaymentQuery,
  StripeLookup,
} from '@billing/domain';
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
    return addUp(
      lines.flatMap(({ price, quantity }) =>
        isId(price?.id) ? [boughtItem(price.id, quantity ?? 1, productOfPrice(price))] : [],
      ),
    );
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
    const { amount, amountRefunded } = charge;
    return { chargeId: id, amount, amountRefunded, capture: captureOfCharge(charge), refunds };
  });
}

/** All its lines, of which an invoice renders the first ten. */
async function withAllLines({ stripe }: LookupDeps, invoice: Stripe.Invoice): Promise<InvoiceDetails> {
  const { id } = invoice;
  if (!invoice.lines.has_more || id === undefined) return toInvoiceDetails(invoiceFacts.parse(invoice));
  const data = await stripe.invoices
    .listLineItems(id, { limit: 100 })
    .autoPagingToArray({ limit: maxEntries });
  return toInvoiceDetails(invoiceFacts.parse({ ...invoice, lines: { data, has_more: false } }));
}

const lookupInvoice = (deps: LookupDeps, id: string): Promise<StripeLookup<InvoiceDetails>> =>
  askStripe(deps, 'invoice', async () => withAllLines(deps, await deps.stripe.invoices.retrieve(id)));

/** The invoice that a PaymentIntent paid. Since API version 2025-03-31 only the invoice's payments name it. */
function lookupInvoiceOf(
  deps: LookupDeps,
  paymentIntentId: string,
): Promise<StripeLookup<InvoiceDetails | { id: null }>> {
  return askStripe(deps, 'payment_intent', async () => {
    const payments = await deps.stripe.invoicePayments.list({
      payment: { type: 'payment_intent', payment_intent: paymentIntentId },
      limit: 1,
      expand: ['data.invoice'],
    });
    const { data } = checkPage(payments);
    const invoice = data[0]?.invoice;
    if (invoice === undefined) return { id: null };
    if (typeof invoice === 'string') return withAllLines(deps, await deps.stripe.invoices.retrieve(invoice));
    return invoice.deleted === true ? { id: null } : withAllLines(deps, invoice);
  });
}

/** As good as it is known without an event: a charge does not say when it was captured. */
const paidAtOf = ({ latest_charge: charge }: Stripe.PaymentIntent): Instant | null =>
  charge === null || typeof charge === 'string' ? null : fromStripeSeconds(charge.created);

/** Whether the outstanding money of a session has come. */
function lookupIntent(deps: LookupDeps, id: string): Promise<StripeLookup<IntentDetails>> {
  return askStripe(deps, 'payment_intent', async () => {
    const rendered = await deps.stripe.paymentIntents.retrieve(id, { expand: ['latest_charge'] });
    const facts = paymentIntentFacts.parse(rendered);
    if (facts.status === 'succeeded')
      return { status: 'paid', capture: captureOfIntent(facts), paidAt: paidAtOf(rendered) };
    return { status: facts.status === 'canceled' ? 'failed' : 'pending', capture: null, paidAt: null };
  });
}

const notAsked = { kind: 'found', object: null } as const;

const askIf = <T>(
  id: string | null,
  ask: (id: string) => Promise<StripeLookup<T>>,
): Promise<StripeLookup<T>> | typeof notAsked => (id === null ? notAsked : ask(id));

/** Asks Stripe for everything that a payment's query names; without one of the answers the others are discarded. */
export async function lookupPayment(
  deps: LookupDeps,
  query: PaymentQuery,
): Promise<StripeLookup<PaymentDetails>> {
  const lineItems = await askIf(query.lineItemsOf, (id) => lookupLineItems(deps, id));
  if (lineItems.kind !== 'found') return lineItems;
  const invoice =
    query.invoice === null
      ? await askIf(query.invoiceOf, (id) => lookupInvoiceOf(deps, id))
      : await lookupInvoice(deps, query.invoice);
  if (invoice.kind !== 'found') return invoice;
  const charge = await askIf(query.charge, (id) => lookupCharge(deps, id));
  if (charge.kind !== 'found') return charge;
  const intent = await askIf(query.intent, (id) => lookupIntent(deps, id));
  if (intent.kind !== 'found') return intent;
  return {
    kind: 'found',
    object: {
      lineItems: lineItems.object,
      charge: charge.object,
      invoice: invoice.object,
      intent: intent.object,
    },
  };
}
