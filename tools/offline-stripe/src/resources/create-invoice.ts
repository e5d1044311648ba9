import { z } from 'zod';

import { pendingItems } from '../billing/invoice-items.ts';
import { draftOwnInvoice } from '../billing/invoices.ts';
import { methodOfCustomer } from '../billing/payment-methods.ts';
import { invalid } from '../errors.ts';
import { body, currency, flag, mergeMetadata, metadata, natural, positive, text } from '../http/params.ts';
import type { Customer, Invoice } from '../stripe-objects.ts';
import type { World } from '../world.ts';

/** Stripe finalizes a draft with `auto_advance` about an hour after it was made. */
const draftSeconds = 3_600;

export const createParams = body({
  customer: text,
  auto_advance: flag.optional(),
  collection_method: z.enum(['charge_automatically', 'send_invoice']).optional(),
  currency: currency.optional(),
  days_until_due: positive.optional(),
  default_payment_method: text.optional(),
  description: text.optional(),
  due_date: natural.optional(),
  footer: text.optional(),
  metadata: metadata.optional(),
  pending_invoice_items_behavior: z.enum(['exclude', 'include']).optional(),
  subscription: text.optional(),
});
type CreateInvoice = z.infer<typeof createParams>;

function checkTerms(params: CreateInvoice): void {
  const { collection_method: method, days_until_due: days, due_date: date } = params;
  const name = days === undefined ? 'due_date' : 'days_until_due';
  if (method === 'send_invoice') {
    if ((days === undefined) === (date === undefined))
      throw invalid(
        'You must specify either `days_until_due` or `due_date` if collection method is `send_invoice`.',
        name,
      );
  } else if (days !== undefined || date !== undefined) {
    throw invalid(`\`${name}\` can only be set on invoices where collection_method is send_invoice.`, name);
  }
}

function currencyOf(world: World, params: CreateInvoice, customer: Customer): string {
  const waiting = world.tables.invoiceItems.by(customer.id).find((item) => item.invoice === null);
  return params.currency ?? waiting?.currency ?? customer.currency ?? 'usd';
}

/** A draft of its own, with the customer's waiting items where `pending_invoice_items_behavior` includes them. */
export function createInvoice(world: World, params: CreateInvoice): Invoice {
  checkTerms(params);
  const customer = world.tables.customers.require(params.customer, 'customer');
  const subscription =
    params.subscription === undefined
      ? null
      : world.tables.subscriptions.require(params.subscription, 'subscription');
  const chosen = params.default_payment_method;
  const method =
    chosen === undefined
      ? null
      : methodOfCustomer(world, { customer: customer.id, id: chosen, param: 'default_payment_method' });
  const invoiceCurrency = currencyOf(world, params, customer);
  const takesItems = params.pending_invoice_items_behavior === 'include' || subscription !== null;
  const waiting = {
    customer: customer.id,
    currency: invoiceCurrency,
    subscription: subscription?.id ?? null,
  };
  return draftOwnInvoice(world, {
    customer: customer.id,
    currency: invoiceCurrency,
    subscription,
    items: takesItems ? pendingItems(world, waiting) : [],
    terms: {
      collection_method: params.collection_method ?? 'charge_automatically',
      daysUntilDue: params.days_until_due ?? null,
      dueDate: params.due_date ?? null,
    },
    finalizesAt: params.auto_advance === true ? world.clock.now() + draftSeconds : null,
    patch: {
      auto_advance: params.auto_advance ?? false,
      default_payment_method: method,
      description: params.description ?? null,
      footer: params.footer ?? null,
      metadata: mergeMetadata({}, params.metadata),
    },
  });
}
