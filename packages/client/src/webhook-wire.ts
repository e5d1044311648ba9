import type { Entitlement } from './wire.ts';

/** What the service sends to a webhook endpoint of the project. A test proves each equal to the service's own type. */

export type EntitlementChange = { feature_code: string; change: 'added' | 'removed' | 'updated' };

/** What a user may do has changed: the whole state, to an endpoint with `payload: full`. */
export type EntitlementsChanged = {
  type: 'entitlements.changed';
  timestamp: string;
  data: {
    project_id: string;
    user_id: string;
    /** Keep the greatest of each user, and do nothing for less. */
    version: number;
    /** What was told before; null: nothing yet. */
    previous_version: number | null;
    /** Why: `stripe_event:<id>`, `expired`, `catalog`, … Ignore those you do not know. */
    causes: string[];
    changes: EntitlementChange[];
    /** All that is in force. */
    entitlements: Entitlement[];
    as_of: string;
    valid_until: string | null;
  };
};

/** The same without the state: to an endpoint with `payload: thin`, or where it would be too large. */
export type ThinEntitlementsChanged = {
  type: 'entitlements.changed';
  /** The state has more than 256 KB: read it. */
  truncated?: true | undefined;
  timestamp: string;
  data: { project_id: string; user_id: string; version: number; previous_version: number | null };
};

/** Products, prices, features or policy have changed. */
export type CatalogChanged = {
  type: 'catalog.changed';
  timestamp: string;
  data: { project_id: string; version: number };
};

type Crossing = {
  project_id: string;
  user_id: string;
  feature_code: string;
  used: number;
  granted: number;
  source: string;
  source_id: string;
  period_start: string | null;
  period_end: string | null;
  usage_seq: number;
};

/** Usage has come to a threshold, in percent of `granted`. */
export type UsageThresholdReached = {
  type: 'usage.threshold_reached';
  timestamp: string;
  data: Crossing & { threshold: number };
};

/** Nothing is left. */
export type UsageLimitReached = { type: 'usage.limit_reached'; timestamp: string; data: Crossing };

/** An operator tries the endpoint. */
export type WebhookPing = {
  type: 'webhook.ping';
  timestamp: string;
  data: { project_id: string; endpoint_id: string };
};

/** A newer service may send other types: answer 2xx to what you do not know. */
export type WebhookMessage =
  | EntitlementsChanged
  | ThinEntitlementsChanged
  | CatalogChanged
  | UsageThresholdReached
  | UsageLimitReached
  | WebhookPing;
