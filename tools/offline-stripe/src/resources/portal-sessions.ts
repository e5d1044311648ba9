import { defineRoute } from '../http/define-route.ts';
import { body, text, url } from '../http/params.ts';
import { newId } from '../ids.ts';
import type { PortalSession } from '../stripe-objects.ts';
import { liveCustomer } from './customers.ts';

const create = body({ customer: text, return_url: url.optional(), configuration: text.optional() }, [
  'flow_data',
  'locale',
  'on_behalf_of',
]);

export const portalSessionRoutes = [
  defineRoute('POST /v1/billing_portal/sessions', create, (world, _id, params) => {
    const customer = liveCustomer(world, params.customer, 'customer');
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
