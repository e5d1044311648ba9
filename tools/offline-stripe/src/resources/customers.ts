import { z } from 'zod';

import { endSubscription, isEnded } from '../billing/subscription-changes.ts';
import { emit, emitChange } from '../events/emit.ts';
import { defineRoute, readRoutes } from '../http/define-route.ts';
import { body, expandOnly, listBody, mergeMetadata, metadata, text, unset, url } from '../http/params.ts';
import { newId } from '../ids.ts';
import { customerObject } from '../objects/customer.ts';
import type { Customer, PortalSession, Tombstone } from '../stripe-objects.ts';
import type { World } from '../world.ts';

const fields = {
  email: z.union([unset, text]).optional(),
  name: z.union([unset, text]).optional(),
  description: z.union([unset, text]).optional(),
  phone: z.union([unset, text]).optional(),
  metadata: metadata.optional(),
  invoice_settings: z.looseObject({ default_payment_method: text.optional() }).optional(),
};
const ignored = `
  address balance invoice_prefix next_invoice_sequence payment_method preferred_locales shipping source
  tax tax_exempt tax_id_data test_clock validate`;
const write = body(fields, ignored);

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
  defineRoute('POST /v1/customers/:id', write, (world, id, params) => {
    const before = world.tables.customers.require(id);
    const method = params.invoice_settings?.default_payment_method;
    const after = world.tables.customers.update(before, {
      email: params.email,
      name: params.name,
      description: params.description,
      phone: params.phone,
      invoice_settings:
        method === undefined ? undefined : { ...before.invoice_settings, default_payment_method: method },
      metadata: mergeMetadata(before.metadata, params.metadata),
    });
    emitChange(world, 'customer.updated', { before, after });
    return after;
  }),
  defineRoute('DELETE /v1/customers/:id', expandOnly, (world, id) =>
    removeCustomer(world, world.tables.customers.require(id)),
  ),
  ...readRoutes('/v1/customers', 'customers', {
    params: listBody({ email: text.optional() }),
    equal: ['email'],
    find: (tables, id) => {
      const tombstone = tables.tombstones.get(id);
      return tombstone?.object === 'customer' ? tombstone : tables.customers.require(id);
    },
  }),
];

const createPortalSession = body(
  { customer: text, return_url: url.optional(), configuration: text.optional() },
  'flow_data locale on_behalf_of',
);

export const portalSessionRoutes = [
  defineRoute('POST /v1/billing_portal/sessions', createPortalSession, (world, _id, params) => {
    const customer = world.tables.customers.require(params.customer, 'customer');
    const id = newId('bps');
    const session: PortalSession = {
      id,
      object: 'billing_portal.session',
      configuration: params.configuration ?? 'bpc_offline',
      created: world.clock.now(),
      customer: customer.id,
      customer_account: null,
      flow: null,
      livemode: false,
      locale: null,
      on_behalf_of: null,
      return_url: params.return_url ?? null,
      url: `${world.publicUrl()}/p/session/${id}`,
    };
    return world.tables.portalSessions.insert(session);
  }),
];
