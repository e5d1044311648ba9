import { noSuch } from '../errors.ts';
import { emit } from '../events/emit.ts';
import { defineRoute } from '../http/define-route.ts';
import { page } from '../http/list.ts';
import { body, expandOnly, listBody, mergeMetadata, metadata, text, unset } from '../http/params.ts';
import { customerObject } from '../objects/customer.ts';
import { endSubscription } from '../billing/subscription-changes.ts';
import type { Customer, Tombstone } from '../stripe-objects.ts';
import type { World } from '../world.ts';
import { z } from 'zod';

const fields = {
  email: z.union([unset, text]).optional(),
  name: z.union([unset, text]).optional(),
  description: z.union([unset, text]).optional(),
  phone: z.union([unset, text]).optional(),
  metadata: metadata.optional(),
  invoice_settings: z.looseObject({ default_payment_method: text.optional() }).optional(),
};
const ACCEPTED = [
  'address',
  'balance',
  'invoice_prefix',
  'next_invoice_sequence',
  'payment_method',
  'preferred_locales',
  'shipping',
  'source',
  'tax',
  'tax_exempt',
  'tax_id_data',
  'test_clock',
  'validate',
];
const write = body(fields, ACCEPTED);

/** A customer that exists and is not deleted, or Stripe's error. */
export function liveCustomer(world: World, id: string, param = 'id'): Customer {
  const customer = world.tables.customers.get(id);
  if (customer === undefined) throw noSuch('customer', id, param);
  return customer;
}

function removeCustomer(world: World, customer: Customer): Tombstone {
  for (const subscription of world.tables.subscriptions.all()) {
    const isOver = subscription.status === 'canceled' || subscription.status === 'incomplete_expired';
    if (subscription.customer === customer.id && !isOver) {
      endSubscription(world, subscription.id, 'cancellation_requested');
    }
  }
  world.tables.customers.remove(customer.id);
  const tombstone = world.tables.tombstones.insert({ id: customer.id, object: 'customer', deleted: true });
  emit(world, 'customer.deleted', customer);
  return tombstone;
}

export const customerRoutes = [
  defineRoute('POST /v1/customers', write, (world, _id, params) => {
    const method = params.invoice_settings?.default_payment_method ?? null;
    const made = customerObject({
      created: world.clock.now(),
      email: params.email ?? null,
      name: params.name ?? null,
      description: params.description ?? null,
      phone: params.phone ?? null,
      metadata: mergeMetadata({}, params.metadata),
    });
    const customer = world.tables.customers.insert({
      ...made,
      invoice_settings: { ...made.invoice_settings, default_payment_method: method },
    });
    emit(world, 'customer.created', customer);
    return customer;
  }),
  defineRoute('GET /v1/customers/:id', expandOnly, (world, id) => {
    const customer = world.tables.customers.get(id) ?? world.tables.tombstones.get(id);
    if (customer?.object !== 'customer') throw noSuch('customer', id);
    return customer;
  }),
  defineRoute('POST /v1/customers/:id', write, (world, id, params) => {
    const before = liveCustomer(world, id);
    const method = params.invoice_settings?.default_payment_method;
    const after = world.tables.customers.update(before, {
      ...(params.email === undefined ? {} : { email: params.email }),
      ...(params.name === undefined ? {} : { name: params.name }),
      ...(params.description === undefined ? {} : { description: params.description }),
      ...(params.phone === undefined ? {} : { phone: params.phone }),
      ...(method === undefined
        ? {}
        : { invoice_settings: { ...before.invoice_settings, default_payment_method: method } }),
      metadata: mergeMetadata(before.metadata, params.metadata),
    });
    emit(world, 'customer.updated', after, before);
    return after;
  }),
  defineRoute('DELETE /v1/customers/:id', expandOnly, (world, id) =>
    removeCustomer(world, liveCustomer(world, id)),
  ),
  defineRoute('GET /v1/customers', listBody({ email: text.optional() }), (world, _id, params) =>
    page(world.tables.customers.newestFirst(), params, {
      url: '/v1/customers',
      matches: (row) => params.email === undefined || row.email === params.email,
    }),
  ),
];
