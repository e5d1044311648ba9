import { z } from 'zod';

import { changeBalance } from '../billing/customer-balance.ts';
import { attachMethod, methodOfCustomer, resolveMethod } from '../billing/payment-methods.ts';
import { endSubscription, isEnded } from '../billing/subscription-changes.ts';
import { emit, emitChange } from '../events/emit.ts';
import { address, shipping } from '../http/address-params.ts';
import { defineRoute, readRoutes } from '../http/define-route.ts';
import { page } from '../http/list.ts';
import {
  body,
  currency,
  email,
  expandOnly,
  integer,
  listBody,
  mergeMetadata,
  metadata,
  text,
  unset,
} from '../http/params.ts';
import { customerObject } from '../objects/customer.ts';
import type { Customer, Tombstone } from '../stripe-objects.ts';
import type { World } from '../world.ts';

const fields = {
  email: z.union([unset, email]).optional(),
  name: z.union([unset, text]).optional(),
  description: z.union([unset, text]).optional(),
  phone: z.union([unset, text]).optional(),
  address: z.union([unset, address]).optional(),
  shipping: z.union([unset, shipping]).optional(),
  preferred_locales: z.array(text).optional(),
  tax_exempt: z.enum(['none', 'exempt', 'reverse']).optional(),
  balance: integer.optional(),
  metadata: metadata.optional(),
  invoice_settings: z.strictObject({ default_payment_method: z.union([unset, text]).optional() }).optional(),
};
const createParams = body({ ...fields, payment_method: text.optional() });
const updateParams = body(fields);

function removeCustomer(world: World, customer: Customer): Tombstone {
  for (const subscription of world.tables.subscriptions.all()) {
    if (subscription.customer === customer.id && !isEnded(subscription)) {
      endSubscription(world, subscription.id, 'cancellation_requested');
    }
  }
  world.tables.customers.remove(customer.id);
  const tombstone = world.tables.tombstones.insert({ id: customer.id, object: 'customer', deleted: true });
  emit(world, 'customer.deleted', customer);
  return tombstone;
}

/** `payment_method` is attached; the same token as `default_payment_method` means that one. */
function withMethods(world: World, customer: Customer, params: z.infer<typeof createParams>): Customer {
  const given = params.payment_method;
  const attached =
    given === undefined
      ? null
      : attachMethod(world, resolveMethod(world, given, 'payment_method'), customer.id).id;
  const chosen = params.invoice_settings?.default_payment_method ?? null;
  if (chosen === null) return customer;
  const param = 'invoice_settings[default_payment_method]';
  const method =
    chosen === given && attached !== null
      ? attached
      : methodOfCustomer(world, { customer: customer.id, id: chosen, param });
  return world.tables.customers.update(customer, {
    invoice_settings: { ...customer.invoice_settings, default_payment_method: method },
  });
}

function createCustomer(world: World, params: z.infer<typeof createParams>): Customer {
  const made = world.tables.customers.insert(
    customerObject({
      created: world.clock.now(),
      email: params.email ?? null,
      name: params.name ?? null,
      description: params.description ?? null,
      phone: params.phone ?? null,
      address: params.address ?? null,
      shipping: params.shipping ?? null,
      locales: params.preferred_locales ?? [],
      taxExempt: params.tax_exempt ?? 'none',
      balance: params.balance ?? 0,
      metadata: mergeMetadata({}, params.metadata),
    }),
  );
  const customer = withMethods(world, made, params);
  emit(world, 'customer.created', customer);
  return customer;
}

function updateCustomer(world: World, before: Customer, params: z.infer<typeof updateParams>): Customer {
  const chosen = params.invoice_settings?.default_payment_method;
  const param = 'invoice_settings[default_payment_method]';
  const method =
    chosen === undefined || chosen === null
      ? chosen
      : methodOfCustomer(world, { customer: before.id, id: chosen, param });
  const after = world.tables.customers.update(before, {
    email: params.email,
    name: params.name,
    description: params.description,
    phone: params.phone,
    address: params.address,
    shipping: params.shipping,
    preferred_locales: params.preferred_locales,
    tax_exempt: params.tax_exempt,
    balance: params.balance,
    invoice_settings:
      method === undefined ? undefined : { ...before.invoice_settings, default_payment_method: method },
    metadata: mergeMetadata(before.metadata, params.metadata),
  });
  emitChange(world, 'customer.updated', { before, after });
  return after;
}

const balanceParams = body({
  amount: integer,
  currency,
  description: text.optional(),
  metadata: metadata.optional(),
});

export const customerRoutes = [
  defineRoute('POST /v1/customers', createParams, (world, _id, params) => createCustomer(world, params)),
  defineRoute('POST /v1/customers/:id', updateParams, (world, id, params) =>
    updateCustomer(world, world.tables.customers.require(id), params),
  ),
  defineRoute('DELETE /v1/customers/:id', expandOnly, (world, id) =>
    removeCustomer(world, world.tables.customers.require(id)),
  ),
  defineRoute('POST /v1/customers/:id/balance_transactions', balanceParams, (world, id, params) =>
    changeBalance(world, world.tables.customers.require(id), {
      ...params,
      description: params.description ?? null,
      type: 'adjustment',
      metadata: mergeMetadata({}, params.metadata),
    }),
  ),
  defineRoute('GET /v1/customers/:id/balance_transactions', listBody({}), (world, id, params) => {
    const rows = world.tables.balanceTransactions.by(world.tables.customers.require(id).id).reverse();
    return page(rows, params, { url: `/v1/customers/${id}/balance_transactions` });
  }),
  ...readRoutes('/v1/customers', 'customers', {
    params: listBody({ email: text.optional() }),
    equal: ['email'],
    find: (tables, id) => {
      const tombstone = tables.tombstones.get(id);
      return tombstone?.object === 'customer' ? tombstone : tables.customers.require(id);
    },
  }),
];
