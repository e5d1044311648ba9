import { emit } from '../events/emit.ts';
import { defineRoute } from '../http/define-route.ts';
import { body, text, url } from '../http/params.ts';
import { newId } from '../ids.ts';
import type { PortalSession } from '../stripe-objects.ts';

const createParams = body({
  customer: text,
  return_url: url.optional(),
});

export const portalSessionRoutes = [
  defineRoute('POST /v1/billing_portal/sessions', createParams, (world, _id, params) => {
    const customer = world.tables.customers.require(params.customer, 'customer');
    const id = newId('bps');
    const session: PortalSession = {
      id,
      object: 'billing_portal.session',
      configuration: 'bpc_offline',
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
    emit(world, 'billing_portal.session.created', session);
    return world.tables.portalSessions.insert(session);
  }),
];
