import { z } from 'zod';

import { payInvoice } from '../billing/collect.ts';
import { finalizeInvoice, markUncollectible, voidInvoice } from '../billing/invoices.ts';
import { invalid } from '../errors.ts';
import { defineRoute, readRoutes } from '../http/define-route.ts';
import { list } from '../http/list.ts';
import { body, expandOnly, listBody, text } from '../http/params.ts';
import { subscriptionOf } from '../objects/invoice.ts';

export const invoiceRoutes = [
  defineRoute('GET /v1/invoices/:id/lines', listBody({}), (world, id) =>
    list(world.tables.invoices.require(id).lines.data, false, `/v1/invoices/${id}/lines`),
  ),
  defineRoute(
    'POST /v1/invoices/:id/pay',
    body({}, 'forgive mandate off_session paid_out_of_band payment_method source'),
    (world, id) => {
      const invoice = world.tables.invoices.require(id);
      if (invoice.status === 'paid')
        throw invalid('Invoice is already paid', undefined, 'invoice_already_paid');
      if (invoice.status === 'void') throw invalid('This invoice is void, so it cannot be paid.', 'id');
      return payInvoice(world, invoice);
    },
  ),
  defineRoute('POST /v1/invoices/:id/finalize', body({}, 'auto_advance'), (world, id) => {
    const invoice = world.tables.invoices.require(id);
    if (invoice.status !== 'draft') {
      throw invalid(
        "This invoice is already finalized, you can't re-finalize a non-draft invoice.",
        undefined,
        'invoice_not_editable',
      );
    }
    return finalizeInvoice(world, invoice);
  }),
  defineRoute('POST /v1/invoices/:id/void', expandOnly, (world, id) =>
    voidInvoice(world, world.tables.invoices.require(id)),
  ),
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
