import { z } from 'zod';
import { id } from '../ids.ts';
import { amountOrNull, decimalOrNull, reference, words } from './fields.ts';

export const recurringIntervals = ['day', 'week', 'month', 'year'] as const;
export type RecurringInterval = (typeof recurringIntervals)[number];
export const usageTypes = ['licensed', 'metered'] as const;
export type UsageType = (typeof usageTypes)[number];

/**
 * What an item of a subscription costs, as Stripe renders the price with it. All are null where that was not rendered:
 * in events that older versions of the service kept.
 */
export type ItemPrice = {
  /** For one of the quantity, a decimal in the currency's smallest unit; null with a currency: no fixed amount. */
  unitAmount: string | null;
  currency: string | null;
  interval: RecurringInterval | null;
  intervalCount: number | null;
  usageType: UsageType | null;
  /** Where the price is for packages (`transform_quantity`): how many of them the quantity makes. */
  billedQuantity: number | null;
  /** Stripe's product of the price; null: not rendered. */
  stripeProductId: string | null;
};

export const noItemPrice: ItemPrice = {
  unitAmount: null,
  currency: null,
  interval: null,
  intervalCount: null,
  usageType: null,
  billedQuantity: null,
  stripeProductId: null,
};

const wholeCount = z.number().int().min(1).max(10_000);

const recurring = z
  .object({
    interval: z.enum(recurringIntervals),
    interval_count: wholeCount.nullish().transform((count) => count ?? 1),
    usage_type: z.enum(usageTypes).nullish().catch(null),
  })
  .nullish();

const renderedPrice = z.object({
  id,
  currency: words,
  /** Null with tiers (Stripe: "only set if `billing_scheme=per_unit`"). */
  unit_amount: amountOrNull,
  unit_amount_decimal: decimalOrNull,
  recurring,
  transform_quantity: z
    .object({ divide_by: z.number().int().min(1), round: z.enum(['up', 'down']) })
    .nullish(),
});

type RenderedPrice = z.output<typeof renderedPrice>;

function packagesOf({ transform_quantity: packages }: RenderedPrice, quantity: number): number | null {
  if (packages === null || packages === undefined) return null;
  const count = quantity / packages.divide_by;
  return packages.round === 'up' ? Math.ceil(count) : Math.floor(count);
}

const ofProduct = z.object({ product: reference });

/** The Stripe product of a price that may be rendered as its id alone. */
export function productOfPrice(rendered: unknown): string | null {
  const parsed = ofProduct.safeParse(rendered);
  return parsed.success ? parsed.data.product : null;
}

/** Reads the price of an item, where the item has it and not just its id. Never fails: an item counts without its price. */
export function itemPriceOf(rendered: unknown, quantity: number): ItemPrice {
  const stripeProductId = productOfPrice(rendered);
  const parsed = renderedPrice.safeParse(rendered);
  if (!parsed.success) return { ...noItemPrice, stripeProductId };
  const price = parsed.data;
  const { currency, recurring: terms } = price;
  if (currency === null || terms === null || terms === undefined) return { ...noItemPrice, stripeProductId };
  return {
    unitAmount: price.unit_amount_decimal ?? price.unit_amount?.toString() ?? null,
    currency,
    interval: terms.interval,
    intervalCount: terms.interval_count,
    usageType: terms.usage_type ?? null,
    billedQuantity: packagesOf(price, quantity),
    stripeProductId,
  };
}

/** The fields of a price that the projection of an event keeps. */
export const keptOfPrice = {
  id: true,
  product: { id: true },
  currency: true,
  unit_amount: true,
  unit_amount_decimal: true,
  recurring: { interval: true, interval_count: true, usage_type: true },
  transform_quantity: { divide_by: true, round: true },
} as const;

/** The intervals of the catalog's prices. */
export const priceIntervals = [...recurringIntervals, 'one_time'] as const;
export type PriceInterval = (typeof priceIntervals)[number];

/** What Stripe says of a price, in the catalog's terms. */
export type StripePriceTerms = {
  /** Null: Stripe has no fixed one, as with tiers, metered usage and fractions of the smallest unit. */
  amount: number | null;
  currency: string;
  interval: PriceInterval;
  intervalCount: number;
  /** Null: the price is paid once. */
  usageType: UsageType | null;
  /** For a unit of metered usage. */
  usageAmount: number | null;
};

/** Reads a price as Stripe's API renders it; fails where it is none. */
export const stripePriceTerms = renderedPrice
  .extend({ currency: z.string() })
  .transform((price): StripePriceTerms => {
    const { recurring: terms, unit_amount: unitAmount } = price;
    const usageType = terms === null || terms === undefined ? null : (terms.usage_type ?? 'licensed');
    return {
      amount: usageType === 'metered' ? null : unitAmount,
      currency: price.currency.toLowerCase(),
      interval: terms?.interval ?? 'one_time',
      intervalCount: terms?.interval_count ?? 1,
      usageType,
      usageAmount: usageType === 'metered' ? unitAmount : null,
    };
  });
