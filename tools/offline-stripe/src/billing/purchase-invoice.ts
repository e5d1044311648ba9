import { amountOf } from '../objects/catalog.ts';
import type { CheckoutPlan } from '../state/private-rows.ts';
import type { CheckoutSession, Customer, PaymentIntent } from '../stripe-objects.ts';
import type { World } from '../world.ts';
import { createInvoiceItem } from './invoice-items.ts';
import { linkPayment, markPaid } from './invoice-payments.ts';
import { draftOwnInvoice, finalizeInvoice } from './invoices.ts';

export type Purchase = {
  session: CheckoutSession;
  plan: CheckoutPlan;
  customer: Customer | null;
  intent: PaymentIntent;
};

/** The paid invoice that `invoice_creation` asks for, once the money of a one-time purchase is there. */
export function invoicePurchase(world: World, { session, plan, customer, intent }: Purchase): string | null {
  const wanted = session.invoice_creation;
  if (wanted?.enabled !== true || customer === null) return null;
  const now = world.clock.now();
  const currency = session.currency ?? 'usd';
  const items = plan.line_items.flatMap(({ price, quantity, description }) => {
    if (price === null) return [];
    const count = quantity ?? 1;
    return createInvoiceItem(world, {
      customer: customer.id,
      currency,
      amount: amountOf(price, count),
      quantity: count,
      description,
      metadata: {},
      period: { start: now, end: now },
      price,
      unitAmount: price.unit_amount_decimal ?? '0',
      subscription: null,
      invoice: null,
    });
  });
  const discounts = world.tables.discounts.all().filter((row) => row.checkout_session === session.id);
  const draft = draftOwnInvoice(world, {
    customer: customer.id,
    currency,
    subscription: null,
    items,
    discounts,
    terms: { collection_method: 'charge_automatically', daysUntilDue: null },
    patch: {
      description: wanted.invoice_data.description,
      footer: wanted.invoice_data.footer,
      metadata: wanted.invoice_data.metadata ?? {},
    },
  });
  // The payment was made without the customer's balance.
  const open = finalizeInvoice(world, draft, { takesBalance: false });
  linkPayment(world, open, intent);
  return markPaid(world, open).id;
}
