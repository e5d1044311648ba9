import { createHash } from 'node:crypto';
import type { SettingsByCode } from '@billing/domain';

export type LoadShape = {
  projectId: string;
  users: number;
  /** Share of the users with a live subscription: the first ones, so that the rest is free for checkouts. */
  subscribed: number;
  /** Share of the users with a one-time purchase, spread over all. */
  purchased: number;
  /** Events of usage of those with a live subscription, over the last twelve weeks. */
  usageEvents: number;
};

export type LoadPrice = {
  priceId: string;
  productId: string;
  stripePriceId: string;
  amountCents: number;
  interval: 'month' | 'year' | 'one_time';
  accessDays: number | null;
};

export type LoadProduct = {
  productId: string;
  featureCodes: readonly string[];
  /** Of the codes that are limits or metered. */
  settings?: SettingsByCode;
};

export type LoadFeature = {
  featureCode: string;
  kind: 'limit' | 'metered';
  unit: string;
  counted: boolean;
  thresholds: readonly number[];
};

/** Names, numbers and catalog of one load project, for the writer and the load tools. */
export type LoadPlan = LoadShape & {
  /** Keeps the Stripe ids of several load projects apart in one database. */
  tag: string;
  userPrefix: string;
  customerPrefix: string;
  subscriptionPrefix: string;
  itemPrefix: string;
  purchasePrefix: string;
  /** Users 1 to this one have a live subscription. */
  lastSubscribed: number;
  /** Users up to this one may have a Stripe customer; those after it have never bought, and are for checkouts. */
  lastWithHistory: number;
  features: readonly LoadFeature[];
  products: readonly LoadProduct[];
  prices: readonly LoadPrice[];
  /** Stored with the project, so that a second run notices another shape. */
  description: string;
};

/** The price that checkouts buy, the only one that must exist at Stripe. */
export const checkoutPriceId = 'checkout-month';

/** What the load tools take from. */
export const meteredFeature = 'api_calls';

const features: readonly LoadFeature[] = [
  { featureCode: meteredFeature, kind: 'metered', unit: 'call', counted: false, thresholds: [80, 100] },
  { featureCode: 'seats', kind: 'limit', unit: 'seat', counted: true, thresholds: [] },
];

/** So much that no load test uses it up. */
const calls = (allowance: number) => ({
  [meteredFeature]: {
    allowance,
    period: 'month',
    anchor: 'source',
    per_unit: false,
    overage: 'deny',
    overage_limit: null,
  } as const,
});
const seats = (limit: number, isAddOn = false) => ({
  seats: { limit, per_unit: isAddOn, add_on: isAddOn },
});

const products: readonly LoadProduct[] = [
  {
    productId: 'basic',
    featureCodes: ['basic_access', 'export_csv', meteredFeature, 'seats'],
    settings: { ...calls(100_000_000), ...seats(1) },
  },
  {
    productId: 'pro',
    featureCodes: [
      'basic_access',
      'export_csv',
      'export_pdf',
      'api_access',
      'team_seats',
      meteredFeature,
      'seats',
    ],
    settings: { ...calls(1_000_000_000), ...seats(5) },
  },
  { productId: 'extra-seats', featureCodes: ['extra_seats', 'seats'], settings: seats(1, true) },
  { productId: 'export-pack', featureCodes: ['export_pack'] },
  { productId: 'year-pass', featureCodes: ['basic_access', 'year_pass'] },
  { productId: 'checkout', featureCodes: ['checkout_access'] },
];

const prices: readonly Omit<LoadPrice, 'stripePriceId'>[] = [
  { priceId: 'basic-month', productId: 'basic', amountCents: 900, interval: 'month', accessDays: null },
  { priceId: 'basic-year', productId: 'basic', amountCents: 9_000, interval: 'year', accessDays: null },
  { priceId: 'pro-month', productId: 'pro', amountCents: 2_900, interval: 'month', accessDays: null },
  { priceId: 'pro-year', productId: 'pro', amountCents: 29_000, interval: 'year', accessDays: null },
  { priceId: 'seats-month', productId: 'extra-seats', amountCents: 500, interval: 'month', accessDays: null },
  { priceId: 'seats-year', productId: 'extra-seats', amountCents: 5_000, interval: 'year', accessDays: null },
  {
    priceId: 'export-pack',
    productId: 'export-pack',
    amountCents: 4_900,
    interval: 'one_time',
    accessDays: null,
  },
  { priceId: 'year-pass', productId: 'year-pass', amountCents: 9_900, interval: 'one_time', accessDays: 365 },
];

/** Computes every name and number of a load project; the same shape always gives the same plan. */
export function planLoad(shape: LoadShape): LoadPlan {
  const lastSubscribed = Math.round(shape.users * shape.subscribed);
  const tag = createHash('sha256').update(shape.projectId).digest('hex').slice(0, 8);
  return {
    ...shape,
    tag,
    userPrefix: 'load-user-',
    customerPrefix: `cus_load_${tag}_`,
    subscriptionPrefix: `sub_load_${tag}_`,
    itemPrefix: `si_load_${tag}_`,
    purchasePrefix: `pi_load_${tag}_`,
    lastSubscribed,
    lastWithHistory: lastSubscribed + Math.floor((shape.users - lastSubscribed) / 2),
    features,
    products,
    prices: prices.map((price) => ({ ...price, stripePriceId: stripePriceIdOf(tag, price.priceId) })),
    description: `Load test data: users=${shape.users} subscribed=${shape.subscribed} purchased=${shape.purchased} usage_events=${shape.usageEvents}`,
  };
}

/** An invented Stripe id: seeded subscriptions are never read from Stripe. */
export function stripePriceIdOf(tag: string, priceId: string): string {
  return `price_load_${tag}_${priceId.replaceAll('-', '_')}`;
}

export type LoadEndpoints = {
  apiUrl: string;
  workerUrl?: string | undefined;
  apiKey: string;
  webhookSecret?: string | undefined;
  hasCheckoutPrice: boolean;
};

/** What the load tools read, one `NAME=value` a line. */
export function environmentLines(plan: LoadPlan, endpoints: LoadEndpoints): string[] {
  const values: Record<string, string | number | undefined> = {
    HOST: endpoints.apiUrl,
    WORKER_URL: endpoints.workerUrl,
    API_KEY: endpoints.apiKey,
    PROJECT_ID: plan.projectId,
    PRICE_ID: endpoints.hasCheckoutPrice ? checkoutPriceId : undefined,
    WEBHOOK_SECRET: endpoints.webhookSecret,
    USER_PREFIX: plan.userPrefix,
    USER_COUNT: plan.users,
    CHECKOUT_USER_FROM: plan.lastWithHistory + 1,
    CHECKOUT_USER_TO: plan.users,
    WEBHOOK_USER_FROM: 1,
    WEBHOOK_USER_TO: plan.lastSubscribed,
    SUBSCRIPTION_PREFIX: plan.subscriptionPrefix,
    SUBSCRIPTION_ITEM_PREFIX: plan.itemPrefix,
    CUSTOMER_PREFIX: plan.customerPrefix,
    USAGE_FEATURE: meteredFeature,
    USAGE_USER_FROM: 1,
    USAGE_USER_TO: plan.lastSubscribed,
    EVENT_STRIPE_PRICE: stripePriceIdOf(plan.tag, 'basic-month'),
  };
  return Object.entries(values)
    .filter(([, value]) => value !== undefined && value !== '')
    .map(([name, value]) => `${name}=${value}`);
}
