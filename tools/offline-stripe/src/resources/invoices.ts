import { z } from 'zod';

import { attemptInvoice, payInvoice, payWith, recover, creditInvoiceOf } from '../billing/collect.ts';
import { linkPayment, markPaid, paymentsOf } from '../billing/invoice-payments.ts';
import { finalizeInvoice, markUncollectible, voidInvoice } from '../billing/invoices.ts';
import { isDeclined, methodOfCustomer } from '../billing/payment-methods.ts';
import { linesOfPreview, showFirstLines } from '../billing/preview-lines.ts';
import { cardDeclined, invalid } from '../errors.ts';
import { emit, emitChange } from '../events/emit.ts';
import { defineRoute, readRoutes } from '../http/define-route.ts';
import { page } from '../http/list.ts';
import { body, expandOnly, flag, listBody, mergeMetadata, metadata, pageBody, text } from '../http/params.ts';
import { subscriptionOf } from '../objects/invoice.ts';
import type { Invoice } from '../stripe-objects.ts';
import type { World } from '../world.ts';
import { createInvoice, createParams } from './create-invoice.ts';
import { createPreview, previewParams } from './create-preview.ts';

const payParams = body({ paid_out_of_band: flag.optional(), payment_method: text.optional() });

function payable(world: World, id: string): Invoice {
  const invoice = world.tables.invoices.require(id);
  if (invoice.status === 'paid') throw invalid('Invoice is already paid', undefined, 'invoice_already_paid');
  if (invoice.status === 'void') throw invalid('This invoice is void, so it cannot be paid.', 'id');
  return invoice.status === 'draft' ? finalizeInvoice(world, invoice) : invoice;
}

/** Pays with the method that is named, else with the customer's; as someone who pays by hand where there is none. */
function pay(world: World, id: string, params: z.infer<typeof payParams>): Invoice {
  const before = world.tables.invoices.require(id);
  const method =
    params.payment_method === undefined
      ? before.default_payment_method
      : methodOfCustomer(world, {
          customer: before.customer ?? '',
          id: params.payment_method,
          param: 'payment_method',
        });
  const open = payable(world, id);
  if (params.paid_out_of_band === true) {
    payOutOfBand(world, open);
  } else if (method !== null && open.amount_remaining > 0) {
    if (!payWith(world, open, method) && isDeclined(world, method)) throw cardDeclined();
  } else payInvoice(world, open);
  return world.tables.invoices.require(id);
}

function payOutOfBand(world: World, open: Invoice): void {
  const paid = markPaid(world, open, { amount_paid_off_stripe: open.amount_remaining });
  recover(world, paid);
}

function finalize(world: World, id: string, autoAdvance: boolean | undefined): Invoice {
  const draft = world.tables.invoices.require(id);
  if (draft.status !== 'draft') {
    throw invalid(
      "This invoice is already finalized, you can't re-finalize a non-draft invoice.",
      undefined,
      'invoice_not_editable',
    );
  }
  const open = finalizeInvoice(
    world,
    world.tables.invoices.update(draft, { auto_advance: autoAdvance ?? draft.auto_advance }),
  );
  if (open.amount_due === 0) payInvoice(world, open);
  else if (open.auto_advance && open.collection_method === 'charge_automatically')
    attemptInvoice(world, open);
  return world.tables.invoices.require(id);
}

/** A payment that exists already, e.g. of a bank transfer, pays a part of the invoice or all of it. */
function attachPayment(world: World, id: string, intentId: string): Invoice {
  const open = world.tables.invoices.require(id);
  if (open.status !== 'open') throw invalid('Only an open invoice takes payments.', 'id');
  const intent = world.tables.paymentIntents.require(intentId, 'payment_intent');
  if (intent.customer !== open.customer || intent.currency !== open.currency)
    throw invalid("The payment must have the invoice's customer and currency.", 'payment_intent');
  linkPayment(world, open, intent, paymentsOf(world, id).length === 0);
  if (intent.status === 'succeeded') creditInvoiceOf(world, intent);
  return world.tables.invoices.require(id);
}

function removeDraft(world: World, id: string): object {
  const invoice = world.tables.invoices.require(id);
  if (invoice.status !== 'draft' || subscriptionOf(invoice) !== null) {
    throw invalid('You can only delete draft invoices that are not of a subscription.', 'id');
  }
  for (const item of world.tables.invoiceItems.by(invoice.customer ?? '')) {
    if (item.invoice === id) world.tables.invoiceItems.update(item, { invoice: null });
  }
  world.tables.invoices.remove(id);
  emit(world, 'invoice.deleted', invoice);
  return { id, object: 'invoice', deleted: true };
}

const updateParams = body({
  auto_advance: flag.optional(),
  description: text.optional(),
  footer: text.optional(),
  metadata: metadata.optional(),
});

function update(world: World, id: string, params: z.infer<typeof updateParams>): Invoice {
  const before = world.tables.invoices.require(id);
  const { metadata: changed, ...rest } = params;
  if (before.status !== 'draft' && (rest.description !== undefined || rest.footer !== undefined))
    throw invalid("Finalized invoices can't be updated in this way.", undefined, 'invoice_not_editable');
  const after = world.tables.invoices.update(before, {
    ...rest,
    metadata: mergeMetadata(before.metadata ?? {}, changed),
  });
  emitChange(world, 'invoice.updated', { before, after });
  return after;
}

export const invoiceRoutes = [
  defineRoute('POST /v1/invoices', createParams, (world, _id, params) => createInvoice(world, params)),
  defineRoute('POST /v1/invoices/create_preview', previewParams, (world, _id, params) =>
    showFirstLines(world, createPreview(world, params)),
  ),
  defineRoute('POST /v1/invoices/:id', updateParams, (world, id, params) => update(world, id, params)),
  defineRoute('DELETE /v1/invoices/:id', expandOnly, (world, id) => removeDraft(world, id)),
  defineRoute('GET /v1/invoices/:id/lines', pageBody({}), (world, id, params) =>
    page(linesOfPreview(world, id) ?? world.tables.invoices.require(id).lines.data, params, {
      url: `/v1/invoices/${id}/lines`,
    }),
  ),
  defineRoute('POST /v1/invoices/:id/pay', payParams, (world, id, params) => pay(world, id, params)),
  defineRoute('POST /v1/invoices/:id/attach_payment', body({ payment_intent: text }), (world, id, params) =>
    attachPayment(world, id, params.payment_intent),
  ),
  defineRoute(
    'POST /v1/invoices/:id/finalize',
    body({ auto_advance: flag.optional() }),
    (world, id, params) => finalize(world, id, params.auto_advance),
  ),
  defineRoute('POST /v1/invoices/:id/send', expandOnly, (world, id) => {
    const invoice = world.tables.invoices.require(id);
    if (invoice.collection_method !== 'send_invoice')
      throw invalid('You can only manually send an invoice if its collection method is send_invoice.', 'id');
    const open = invoice.status === 'draft' ? finalizeInvoice(world, invoice) : invoice;
    emit(world, 'invoice.sent', open);
    return open;
  }),
  defineRoute('POST /v1/invoices/:id/void', expandOnly, (world, id) => {
    const invoice = world.tables.invoices.require(id);
    if (invoice.status === 'draft')
      throw invalid('You can only pass in open or uncollectible invoices. This invoice is a draft.', 'id');
    return voidInvoice(world, invoice);
  }),
  defineRoute('POST /v1/invoices/:id/mark_uncollectible', expandOnly, (world, id) =>
    markUncollectible(world, world.tables.invoices.require(id)),
  ),
  ...readRoutes('/v1/invoices', 'invoices', {
    params: listBody({
      customer: text.optional(),
      subscription: text.optional(),
      status: z.enum(['draft', 'open', 'paid', 'uncollectible', 'void']).optional(),
      collection_method: text.optional(),
    }),
    equal: ['customer', 'collection_method', 'status'],
    matches: (row, { subscription }) => subscription === undefined || subscriptionOf(row) === subscription,
  }),
];

export const invoicePaymentRoutes = readRoutes('/v1/invoice_payments', 'invoicePayments', {
  params: listBody({
    invoice: text.optional(),
    status: z.enum(['canceled', 'open', 'paid']).optional(),
    payment: z
      .strictObject({
        type: z.enum(['payment_intent', 'payment_record']),
        payment_intent: text.optional(),
        payment_record: text.optional(),
      })
      .optional(),
  }),
  equal: ['invoice', 'status'],
  matches: (row, { payment }) =>
    payment === undefined ||
    (row.payment.type === payment.type && row.payment.payment_intent === payment.payment_intent),
});
