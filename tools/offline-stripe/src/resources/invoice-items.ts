import { z } from 'zod';

import { createInvoiceItem } from '../billing/invoice-items.ts';
import { changeLines } from '../billing/invoices.ts';
import { invalid } from '../errors.ts';
import { emit, emitChange } from '../events/emit.ts';
import { defineRoute } from '../http/define-route.ts';
import { page } from '../http/list.ts';
import {
  body,
  currency,
  expandOnly,
  flag,
  integer,
  mergeMetadata,
  metadata,
  natural,
  pageBody,
  positive,
  text,
} from '../http/params.ts';
import { amountOf } from '../objects/catalog.ts';
import { invoiceItemLine } from '../objects/invoice-line.ts';
import type { Invoice, InvoiceItem } from '../stripe-objects.ts';
import type { World } from '../world.ts';

const createParams = body({
  customer: text,
  amount: integer.optional(),
  currency: currency.optional(),
  description: text.optional(),
  invoice: text.optional(),
  metadata: metadata.optional(),
  period: z.strictObject({ start: natural, end: natural }).optional(),
  pricing: z.strictObject({ price: text }).optional(),
  quantity: positive.optional(),
  subscription: text.optional(),
});
type CreateItem = z.infer<typeof createParams>;

function draftOf(world: World, id: string): Invoice {
  const invoice = world.tables.invoices.require(id, 'invoice');
  if (invoice.status !== 'draft') {
    throw invalid(
      `The item can only be added to a draft; the invoice ${id} is ${invoice.status}.`,
      'invoice',
      'invoice_not_editable',
    );
  }
  return invoice;
}

type Sum = { amount: number; currency: string; unitAmount: string };

function sumOf(world: World, params: CreateItem): Sum & { price: InvoicePrice } {
  const { amount, pricing, quantity = 1 } = params;
  if ((amount === undefined) === (pricing === undefined)) {
    throw invalid('You must specify either `amount` or `pricing[price]`.', 'amount', 'parameter_missing');
  }
  if (pricing !== undefined) {
    const price = world.tables.prices.require(pricing.price, 'pricing[price]');
    if (price.type === 'recurring') {
      throw invalid(
        'The price specified is set to `type=recurring` but this field only accepts prices with `type=one_time`.',
        'pricing[price]',
      );
    }
    return {
      amount: amountOf(price, quantity),
      currency: price.currency,
      unitAmount: price.unit_amount_decimal ?? '0',
      price,
    };
  }
  if (params.quantity !== undefined) throw invalid('`quantity` needs `pricing[price]`.', 'quantity');
  if (params.currency === undefined)
    throw invalid('Missing required param: currency.', 'currency', 'parameter_missing');
  return { amount: amount ?? 0, currency: params.currency, unitAmount: String(amount ?? 0), price: null };
}
type InvoicePrice = Parameters<typeof createInvoiceItem>[1]['price'];

function create(world: World, params: CreateItem): InvoiceItem {
  const customer = world.tables.customers.require(params.customer, 'customer');
  if (params.subscription !== undefined) {
    const subscription = world.tables.subscriptions.require(params.subscription, 'subscription');
    if (subscription.customer !== customer.id)
      throw invalid('The subscription belongs to another customer.', 'subscription');
  }
  const draft = params.invoice === undefined ? null : draftOf(world, params.invoice);
  const sum = sumOf(world, params);
  const now = world.clock.now();
  const item = createInvoiceItem(world, {
    ...sum,
    customer: customer.id,
    quantity: params.quantity ?? 1,
    description: params.description ?? world.tables.products.get(sum.price?.product ?? '')?.name ?? null,
    metadata: mergeMetadata({}, params.metadata),
    period: params.period ?? { start: now, end: now },
    subscription: params.subscription ?? null,
    invoice: draft?.id ?? null,
  });
  if (draft !== null) {
    const after = changeLines(world, draft, [...draft.lines.data, invoiceItemLine(item, draft.id)]);
    emitChange(world, 'invoice.updated', { before: draft, after });
  }
  return item;
}

function editable(world: World, id: string): { item: InvoiceItem; draft: Invoice | undefined } {
  const item = world.tables.invoiceItems.require(id);
  const draft = world.tables.invoices.get(item.invoice ?? '');
  if (draft !== undefined && draft.status !== 'draft') {
    throw invalid(
      'This invoice item is attached to an invoice that is no longer editable.',
      'id',
      'invoice_not_editable',
    );
  }
  return { item, draft };
}

function lineIs(line: Invoice['lines']['data'][number], itemId: string): boolean {
  const { parent } = line;
  return (
    parent?.invoice_item_details?.invoice_item === itemId ||
    parent?.subscription_item_details?.invoice_item === itemId
  );
}

function remove(world: World, id: string): object {
  const { item, draft } = editable(world, id);
  world.tables.invoiceItems.remove(id);
  if (draft !== undefined) {
    const after = changeLines(
      world,
      draft,
      draft.lines.data.filter((line) => !lineIs(line, id)),
    );
    emitChange(world, 'invoice.updated', { before: draft, after });
  }
  emit(world, 'invoiceitem.deleted', item);
  return { id, object: 'invoiceitem', deleted: true };
}

export const invoiceItemRoutes = [
  defineRoute('POST /v1/invoiceitems', createParams, (world, _id, params) => create(world, params)),
  defineRoute('POST /v1/invoiceitems/:id', body({ metadata: metadata.optional() }), (world, id, params) => {
    const { item } = editable(world, id);
    return world.tables.invoiceItems.update(item, {
      metadata: mergeMetadata(item.metadata ?? {}, params.metadata),
    });
  }),
  defineRoute('DELETE /v1/invoiceitems/:id', expandOnly, (world, id) => remove(world, id)),
  defineRoute('GET /v1/invoiceitems/:id', expandOnly, (world, id) => world.tables.invoiceItems.require(id)),
  defineRoute(
    'GET /v1/invoiceitems',
    pageBody({ customer: text.optional(), invoice: text.optional(), pending: flag.optional() }),
    (world, _id, params) =>
      page(world.tables.invoiceItems.newestFirst(), params, {
        url: '/v1/invoiceitems',
        equal: ['customer', 'invoice'],
        matches: (row) => params.pending === undefined || (row.invoice === null) === params.pending,
      }),
  ),
];
