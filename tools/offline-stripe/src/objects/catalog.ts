import { newId } from '../ids.ts';
import type { Metadata, Plan, Price, Product } from '../stripe-objects.ts';

export function productObject(fields: {
  id?: string;
  created: number;
  name: string;
  description?: string | null;
  active?: boolean;
  metadata?: Metadata;
}): Product {
  return {
    id: fields.id ?? newId('prod'),
    object: 'product',
    active: fields.active ?? true,
    created: fields.created,
    default_price: null,
    description: fields.description ?? null,
    images: [],
    livemode: false,
    marketing_features: [],
    metadata: fields.metadata ?? {},
    name: fields.name,
    package_dimensions: null,
    shippable: null,
    statement_descriptor: null,
    tax_code: null,
    tax_details: null,
    type: 'service',
    unit_label: null,
    updated: fields.created,
    url: null,
  };
}

export type Interval = 'day' | 'week' | 'month' | 'year';

export type NewPrice = {
  id?: string;
  created: number;
  product: string;
  currency: string;
  /** A decimal number, e.g. `1500` or `0.5`; null: it has tiers. */
  unitAmount: string | null;
  tiersMode?: Price['tiers_mode'];
  taxBehavior?: Price['tax_behavior'];
  recurring: {
    interval: Interval;
    intervalCount: number;
    trialDays: number | null;
    meter?: string | null;
  } | null;
  nickname?: string | null;
  lookupKey?: string | null;
  active?: boolean;
  metadata?: Metadata;
};

/** Amounts are in the currency's smallest unit. */
export function priceObject(fields: NewPrice): Price {
  const { recurring } = fields;
  return {
    id: fields.id ?? newId('price'),
    object: 'price',
    active: fields.active ?? true,
    billing_scheme: fields.unitAmount === null ? 'tiered' : 'per_unit',
    created: fields.created,
    currency: fields.currency,
    custom_unit_amount: null,
    livemode: false,
    lookup_key: fields.lookupKey ?? null,
    metadata: fields.metadata ?? {},
    nickname: fields.nickname ?? null,
    product: fields.product,
    recurring:
      recurring === null
        ? null
        : {
            interval: recurring.interval,
            interval_count: recurring.intervalCount,
            meter: recurring.meter ?? null,
            trial_period_days: recurring.trialDays,
            usage_type: (recurring.meter ?? null) === null ? 'licensed' : 'metered',
          },
    tax_behavior: fields.taxBehavior ?? 'unspecified',
    tiers_mode: fields.tiersMode ?? null,
    transform_quantity: null,
    type: recurring === null ? 'one_time' : 'recurring',
    unit_amount: /^\d+$/.test(fields.unitAmount ?? '') ? Number(fields.unitAmount) : null,
    unit_amount_decimal: fields.unitAmount,
  };
}

/** Billed by what its meter counted, when the period is over. */
export const isMetered = (price: Price): boolean => price.recurring?.usage_type === 'metered';

/** What a quantity of a price costs in advance, in the currency's smallest unit: nothing where a meter counts it. */
export function amountOf(price: Price, quantity: number): number {
  return isMetered(price) ? 0 : costOf(price, quantity);
}

/** What a quantity of a price costs, in the currency's smallest unit. */
export function costOf(price: Price, quantity: number): number {
  return price.unit_amount === null
    ? Math.round(Number(price.unit_amount_decimal) * quantity)
    : price.unit_amount * quantity;
}

/** The older form of a recurring price, which subscription items carry beside it. */
export function planOf(price: Price): Plan {
  return {
    id: price.id,
    object: 'plan',
    active: price.active,
    amount: price.unit_amount,
    amount_decimal: price.unit_amount_decimal,
    billing_scheme: price.billing_scheme,
    created: price.created,
    currency: price.currency,
    interval: price.recurring?.interval ?? 'month',
    interval_count: price.recurring?.interval_count ?? 1,
    livemode: false,
    metadata: price.metadata,
    meter: price.recurring?.meter ?? null,
    nickname: price.nickname,
    product: price.product,
    tiers_mode: null,
    transform_usage: null,
    trial_period_days: null,
    usage_type: price.recurring?.usage_type ?? 'licensed',
  };
}
