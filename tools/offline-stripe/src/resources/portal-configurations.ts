import { z } from 'zod';

import { invalid } from '../errors.ts';
import { emit, emitChange } from '../events/emit.ts';
import { defineRoute, readRoutes } from '../http/define-route.ts';
import {
  body,
  flag,
  listBody,
  mergeMetadata,
  metadata,
  natural,
  positive,
  text,
  unset,
  url,
} from '../http/params.ts';
import { allFeatures, portalConfigurationObject } from '../objects/portal-configuration.ts';
import type { PortalConfiguration } from '../stripe-objects.ts';
import type { World } from '../world.ts';

type Features = PortalConfiguration['features'];

const proration = z.enum(['always_invoice', 'create_prorations', 'none']);
const enabledOnly = z.strictObject({ enabled: flag });
const featureParams = z.strictObject({
  invoice_history: enabledOnly.optional(),
  payment_method_update: enabledOnly.optional(),
  subscription_cancel: z
    .strictObject({
      enabled: flag,
      mode: z.enum(['at_period_end', 'immediately']).optional(),
      proration_behavior: proration.optional(),
    })
    .optional(),
  subscription_update: z
    .strictObject({
      enabled: flag,
      default_allowed_updates: z.union([unset, z.array(z.enum(['price', 'quantity']))]).optional(),
      products: z
        .union([
          unset,
          z.array(
            z.strictObject({
              product: text,
              prices: z.array(text).min(1),
              adjustable_quantity: z
                .strictObject({ enabled: flag, minimum: natural.optional(), maximum: positive.optional() })
                .optional(),
            }),
          ),
        ])
        .optional(),
      proration_behavior: proration.optional(),
    })
    .optional(),
});
type FeatureParams = z.infer<typeof featureParams>;

const shared = {
  business_profile: z.strictObject({ headline: z.union([unset, text]).optional() }).optional(),
  default_return_url: z.union([unset, url]).optional(),
  metadata: metadata.optional(),
  name: z.union([unset, text]).optional(),
};
const createParams = body({ ...shared, features: featureParams });
const updateParams = body({ ...shared, active: flag.optional(), features: featureParams.optional() });

function productsOf(world: World, given: NonNullable<FeatureParams['subscription_update']>) {
  if (given.products === undefined || given.products === null) return given.products;
  const param = 'features[subscription_update][products]';
  return given.products.map(({ product, prices, adjustable_quantity: range }) => {
    world.tables.products.require(product, param);
    for (const price of prices) world.tables.prices.require(price, param);
    return {
      product,
      prices,
      adjustable_quantity: {
        enabled: range?.enabled ?? false,
        maximum: range?.maximum ?? null,
        minimum: range?.minimum ?? 1,
      },
    };
  });
}

/** A feature that is not named is off in a new configuration, and stays as it is in another. */
function featuresOf(world: World, before: Features, given: FeatureParams): Features {
  const cancel = given.subscription_cancel;
  const switching = given.subscription_update;
  const products = switching === undefined ? undefined : productsOf(world, switching);
  return {
    ...before,
    invoice_history: given.invoice_history ?? before.invoice_history,
    payment_method_update: { ...before.payment_method_update, ...given.payment_method_update },
    subscription_cancel: {
      ...before.subscription_cancel,
      enabled: cancel?.enabled ?? before.subscription_cancel.enabled,
      mode: cancel?.mode ?? before.subscription_cancel.mode,
      proration_behavior: cancel?.proration_behavior ?? before.subscription_cancel.proration_behavior,
    },
    subscription_update: {
      ...before.subscription_update,
      enabled: switching?.enabled ?? before.subscription_update.enabled,
      ...(products === undefined ? {} : { products }),
      default_allowed_updates:
        switching?.default_allowed_updates ?? before.subscription_update.default_allowed_updates,
      proration_behavior: switching?.proration_behavior ?? before.subscription_update.proration_behavior,
    },
  };
}

const nothing: Features = {
  ...allFeatures,
  invoice_history: { enabled: false },
  payment_method_update: { enabled: false, payment_method_configuration: null },
  subscription_cancel: { ...allFeatures.subscription_cancel, enabled: false },
  subscription_update: {
    ...allFeatures.subscription_update,
    default_allowed_updates: [],
    enabled: false,
    proration_behavior: 'none',
  },
};

function create(world: World, params: z.infer<typeof createParams>): PortalConfiguration {
  const made = world.tables.portalConfigurations.insert(
    portalConfigurationObject({
      created: world.clock.now(),
      name: params.name ?? null,
      returnUrl: params.default_return_url ?? null,
      headline: params.business_profile?.headline ?? null,
      features: featuresOf(world, nothing, params.features),
      metadata: mergeMetadata({}, params.metadata),
    }),
  );
  emit(world, 'billing_portal.configuration.created', made);
  return made;
}

function update(world: World, id: string, params: z.infer<typeof updateParams>): PortalConfiguration {
  const before = world.tables.portalConfigurations.require(id);
  if (before.is_default && params.active === false)
    throw invalid('You cannot deactivate the default configuration.', 'active');
  const { headline } = params.business_profile ?? {};
  const after = world.tables.portalConfigurations.update(before, {
    active: params.active,
    business_profile: headline === undefined ? undefined : { ...before.business_profile, headline },
    default_return_url: params.default_return_url,
    features: params.features === undefined ? undefined : featuresOf(world, before.features, params.features),
    metadata: mergeMetadata(before.metadata ?? {}, params.metadata),
    name: params.name,
    updated: world.clock.now(),
  });
  emitChange(world, 'billing_portal.configuration.updated', { before, after });
  return after;
}

/** The configuration of sessions that name none: all that the pages can do. */
export function defaultConfiguration(world: World): PortalConfiguration {
  const id = 'bpc_offline';
  const known = world.tables.portalConfigurations.get(id);
  if (known !== undefined) return known;
  return world.tables.portalConfigurations.insert(
    portalConfigurationObject({
      id,
      created: world.clock.now(),
      isDefault: true,
      name: null,
      returnUrl: null,
      headline: null,
      features: allFeatures,
      metadata: {},
    }),
  );
}

export const portalConfigurationRoutes = [
  defineRoute('POST /v1/billing_portal/configurations', createParams, (world, _id, params) =>
    create(world, params),
  ),
  defineRoute('POST /v1/billing_portal/configurations/:id', updateParams, (world, id, params) =>
    update(world, id, params),
  ),
  ...readRoutes('/v1/billing_portal/configurations', 'portalConfigurations', {
    params: listBody({ active: flag.optional(), is_default: flag.optional() }),
    equal: ['active', 'is_default'],
  }),
];
