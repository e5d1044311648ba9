import { newId } from '../ids.ts';
import type { Metadata, PortalConfiguration } from '../stripe-objects.ts';

type Features = PortalConfiguration['features'];
export type Reason = Features['subscription_cancel']['cancellation_reason']['options'][number];

export type NewPortalConfiguration = {
  id?: string;
  created: number;
  isDefault?: boolean;
  name: string | null;
  returnUrl: string | null;
  headline: string | null;
  features: Features;
  metadata: Metadata;
};

/** Everything the portal's pages here can do. */
export const allFeatures: Features = {
  customer_update: { allowed_updates: [], enabled: false },
  invoice_history: { enabled: true },
  payment_method_update: { enabled: true, payment_method_configuration: null },
  subscription_cancel: {
    cancellation_reason: { enabled: false, feedback_options: null, options: [] },
    enabled: true,
    mode: 'at_period_end',
    proration_behavior: 'none',
  },
  subscription_pause: { duration: { interval_options: [], type: 'indefinite' }, enabled: false },
  subscription_update: {
    billing_cycle_anchor: null,
    default_allowed_updates: ['price', 'quantity'],
    enabled: true,
    products: null,
    proration_behavior: 'always_invoice',
    schedule_at_period_end: { conditions: [] },
    trial_update_behavior: 'end_trial',
  },
};

export function portalConfigurationObject(fields: NewPortalConfiguration): PortalConfiguration {
  return {
    id: fields.id ?? newId('bpc'),
    object: 'billing_portal.configuration',
    active: true,
    application: null,
    business_profile: { headline: fields.headline, privacy_policy_url: null, terms_of_service_url: null },
    created: fields.created,
    default_return_url: fields.returnUrl,
    features: fields.features,
    is_default: fields.isDefault ?? false,
    livemode: false,
    login_page: { enabled: false, url: null },
    metadata: fields.metadata,
    name: fields.name,
    updated: fields.created,
  };
}
