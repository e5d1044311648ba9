import { z } from 'zod';

import { isEnded } from '../billing/subscription-changes.ts';
import { invalid } from '../errors.ts';
import { emit } from '../events/emit.ts';
import { defineRoute } from '../http/define-route.ts';
import { body, text, url } from '../http/params.ts';
import { newId } from '../ids.ts';
import type { PortalConfiguration, PortalSession } from '../stripe-objects.ts';
import type { World } from '../world.ts';
import { defaultConfiguration } from './portal-configurations.ts';

const ofSubscription = z.strictObject({ subscription: text });
const flowParams = z.strictObject({
  type: z.enum(
    ['payment_method_update', 'subscription_cancel', 'subscription_update'],
    'the offline Stripe has the flows payment_method_update, subscription_cancel and subscription_update',
  ),
  subscription_cancel: ofSubscription.optional(),
  subscription_update: ofSubscription.optional(),
  after_completion: z
    .strictObject({
      type: z.enum(['hosted_confirmation', 'portal_homepage', 'redirect']),
      redirect: z.strictObject({ return_url: url }).optional(),
      hosted_confirmation: z.strictObject({ custom_message: z.string().max(500).optional() }).optional(),
    })
    .optional(),
});
type FlowParams = z.infer<typeof flowParams>;

const createParams = body({
  customer: text,
  configuration: text.optional(),
  flow_data: flowParams.optional(),
  locale: text.optional(),
  return_url: url.optional(),
});
type CreateSession = z.infer<typeof createParams>;

function configurationOf(world: World, id: string | undefined): PortalConfiguration {
  if (id === undefined) return defaultConfiguration(world);
  const found = world.tables.portalConfigurations.require(id, 'configuration');
  if (!found.active) throw invalid(`The configuration ${id} is not active.`, 'configuration');
  return found;
}

/** The subscription that a flow is about; throws where the customer can't go that way with it. */
function subscriptionOf(world: World, customer: string, flow: FlowParams): string | null {
  const { type } = flow;
  if (type === 'payment_method_update') return null;
  const param = `flow_data[${type}][subscription]`;
  const id = flow[type]?.subscription;
  if (id === undefined) throw invalid(`Missing required param: ${param}.`, param, 'parameter_missing');
  const subscription = world.tables.subscriptions.require(id, param);
  if (subscription.customer !== customer)
    throw invalid(`No such subscription: '${id}'`, param, 'resource_missing');
  if (isEnded(subscription))
    throw invalid('This subscription is canceled, so this flow is not possible.', param);
  if (type === 'subscription_cancel' && subscription.cancel_at !== null) {
    throw invalid(
      `The subscription \`${id}\` is already set to be canceled at period end and cannot be canceled again.`,
      param,
    );
  }
  return id;
}

function completionOf({
  after_completion: given,
}: FlowParams): NonNullable<PortalSession['flow']>['after_completion'] {
  const type = given?.type ?? 'portal_homepage';
  if (type === 'redirect' && given?.redirect === undefined) {
    const param = 'flow_data[after_completion][redirect]';
    throw invalid(`Missing required param: ${param}.`, param, 'parameter_missing');
  }
  return {
    hosted_confirmation:
      type === 'hosted_confirmation'
        ? { custom_message: given?.hosted_confirmation?.custom_message ?? null }
        : null,
    redirect: type === 'redirect' ? (given?.redirect ?? null) : null,
    type,
  };
}

function flowOf(
  world: World,
  params: CreateSession,
  { features }: PortalConfiguration,
): PortalSession['flow'] {
  const { flow_data: flow } = params;
  if (flow === undefined) return null;
  const { type } = flow;
  if (!features[type].enabled) {
    throw invalid(
      `This flow is not possible because the \`${type}\` feature in the portal configuration is disabled.`,
      'flow_data[type]',
    );
  }
  const subscription = subscriptionOf(world, params.customer, flow);
  return {
    after_completion: completionOf(flow),
    customer_update: null,
    subscription_cancel:
      type === 'subscription_cancel' && subscription !== null ? { retention: null, subscription } : null,
    subscription_pause: null,
    subscription_update: type === 'subscription_update' && subscription !== null ? { subscription } : null,
    subscription_update_confirm: null,
    type,
  };
}

function create(world: World, params: CreateSession): PortalSession {
  const customer = world.tables.customers.require(params.customer, 'customer');
  const configuration = configurationOf(world, params.configuration);
  const id = newId('bps');
  const flow = flowOf(world, params, configuration);
  const session: PortalSession = {
    id,
    object: 'billing_portal.session',
    configuration: configuration.id,
    created: world.clock.now(),
    customer: customer.id,
    customer_account: null,
    flow,
    livemode: false,
    locale: params.locale ?? null,
    on_behalf_of: null,
    return_url: params.return_url ?? configuration.default_return_url,
    url: `${world.publicUrl()}/p/session/${id}${flow === null ? '' : '/flow'}`,
  };
  emit(world, 'billing_portal.session.created', session);
  return world.tables.portalSessions.insert(session);
}

export const portalSessionRoutes = [
  defineRoute('POST /v1/billing_portal/sessions', createParams, (world, _id, params) =>
    create(world, params),
  ),
];
