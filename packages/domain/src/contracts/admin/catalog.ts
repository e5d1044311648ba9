import { z } from 'zod';
import { displayName, id, text } from '../../ids.ts';
import { priceIntervals, usageTypes } from '../../stripe/price.ts';
import { dryRun } from './dry-run.ts';
import { listOf } from './listing.ts';
import { featuresMeaning, productFeatureOut, productFeatures } from './product-features.ts';

const featureCodes = z
  .array(id)
  .max(200)
  .transform((codes) => [...new Set(codes)]);

/** How long one piece of a one-time price gives access. */
const accessDays = z.number().int().min(1).max(36_500).nullable();

const mostRank = 1_000_000;

/** What makes a product a plan; null takes it away. */
const planFields = {
  group: id
    .nullable()
    .optional()
    .describe('Plans of one group exclude each other. Null or absent: it excludes none.'),
  rank: z
    .number()
    .int()
    .min(-mostRank)
    .max(mostRank)
    .nullable()
    .optional()
    .describe('Within the group: higher is dearer.'),
  is_default: z
    .boolean()
    .optional()
    .describe(
      'Every user, known or not, has its features while no subscription or purchase of its group (without one: of itself) is in force. Archived or not. Of a group at most one.',
    ),
  max_trials_per_user: z
    .number()
    .int()
    .min(0)
    .max(1_000)
    .nullable()
    .optional()
    .describe(
      'How many trials a user may have of the group (without one: of the product). Null or absent: any number.',
    ),
  stripe_product_id: id
    .nullable()
    .optional()
    .describe(
      'All prices of this Stripe product are sold as this product, those that are not mapped too. It belongs to one product of one project; a mapped price goes before it.',
    ),
  access_days: accessDays
    .optional()
    .describe(
      'Of one-time prices that are not mapped: how long one piece gives access. Null or absent: for ever.',
    ),
};

export const createProductRequest = z
  .strictObject({
    product_id: id,
    name: displayName,
    description: text.nullable().optional(),
    feature_codes: featureCodes
      .default([])
      .describe('Codes without settings; together with those of `features` at most 200.'),
    features: productFeatures.optional(),
    ...planFields,
    dry_run: dryRun,
  })
  .meta({ id: 'NewProduct' });
export type CreateProductRequest = z.output<typeof createProductRequest>;

export const patchProductRequest = z
  .strictObject({
    name: displayName.optional(),
    description: text.nullable().optional(),
    feature_codes: featureCodes
      .optional()
      .describe('All codes from now on: those that stay keep their settings.'),
    features: productFeatures.optional().meta({
      description: `${featuresMeaning} They replace all codes with settings; the other codes stay.`,
    }),
    ...planFields,
    is_archived: z.boolean().optional(),
    dry_run: dryRun,
  })
  .meta({ id: 'ProductChanges' });
export type PatchProductRequest = z.output<typeof patchProductRequest>;

export const productOut = z
  .object({
    project_id: z.string(),
    product_id: z.string(),
    name: z.string(),
    description: z.string().nullable(),
    feature_codes: z.array(z.string()).describe('All of them, those with settings too.'),
    features: z.array(productFeatureOut).describe('Those with settings.'),
    group: z.string().nullable(),
    rank: z.number().int().nullable(),
    is_default: z.boolean(),
    max_trials_per_user: z.number().int().nullable(),
    stripe_product_id: z.string().nullable(),
    access_days: z.number().int().nullable(),
    is_archived: z.boolean(),
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime(),
  })
  .meta({ id: 'Product' });
export type ProductOut = z.output<typeof productOut>;
export const productList = listOf(productOut).meta({ id: 'ProductList' });

const amount = z.number().int().min(0).max(999_999_999_999).nullable();
const currency = z
  .string()
  .regex(/^[A-Za-z]{3}$/, 'must be a three-letter ISO currency code')
  .transform((code) => code.toLowerCase());
/** Stripe: at most three years. */
const intervalCount = z.number().int().min(1).max(1_095);

const amountMeaning =
  "In the currency's smallest unit; null where Stripe has no fixed one (tiers, metered usage).";
const countMeaning = 'Every how many intervals it is paid; not with `interval: one_time`.';
const usageMeaning = 'Not with `interval: one_time`.';
const filledIn = 'Absent: as Stripe has it; required where Stripe has no such price.';

export const createPriceRequest = z
  .strictObject({
    price_id: id.optional().describe('Default: the Stripe price id.'),
    product_id: id,
    stripe_price_id: id,
    amount: amount.optional().describe(`${amountMeaning} ${filledIn}`),
    currency: currency.optional().describe(filledIn),
    interval: z.enum(priceIntervals).optional().describe(filledIn),
    interval_count: intervalCount.optional().describe(`${countMeaning} Absent: as Stripe has it, else 1.`),
    usage_type: z.enum(usageTypes).optional().describe(`${usageMeaning} Absent: as Stripe has it.`),
    access_days: accessDays
      .optional()
      .describe(
        'With `interval: one_time` only: how long one piece gives access; purchases of one product follow each other. Null or absent: for ever.',
      ),
    dry_run: dryRun,
  })
  .refine(({ access_days: days, interval }) => (days ?? null) === null || isOnce(interval), {
    path: ['access_days'],
    message: 'is for one_time prices only',
  })
  .refine(({ interval, interval_count: count }) => interval !== 'one_time' || (count ?? 1) === 1, {
    path: ['interval_count'],
    message: 'is for prices that are paid again and again',
  })
  .refine(({ interval, usage_type: usage }) => interval !== 'one_time' || usage === undefined, {
    path: ['usage_type'],
    message: 'is for prices that are paid again and again',
  })
  .meta({ id: 'NewPrice' });
export type CreatePriceRequest = z.output<typeof createPriceRequest>;

const isOnce = (interval: string | undefined): boolean => interval === undefined || interval === 'one_time';

export const patchPriceRequest = z
  .strictObject({
    product_id: id.optional().describe('Moves the price to another product of the project.'),
    amount: amount.optional().describe(amountMeaning),
    currency: currency.optional(),
    interval: z.enum(priceIntervals).optional(),
    interval_count: intervalCount.optional().describe(countMeaning),
    usage_type: z.enum(usageTypes).optional().describe(usageMeaning),
    is_archived: z.boolean().optional(),
    dry_run: dryRun,
  })
  .meta({ id: 'PriceChanges' });
export type PatchPriceRequest = z.output<typeof patchPriceRequest>;

export const priceOut = z
  .object({
    project_id: z.string(),
    price_id: z.string(),
    product_id: z.string(),
    stripe_price_id: z.string(),
    amount: z.number().int().nullable().describe(amountMeaning),
    currency: z.string(),
    interval: z.enum(priceIntervals),
    interval_count: z.number().int().describe(countMeaning),
    usage_type: z.enum(usageTypes).nullable().describe('Null: paid once, or not known yet.'),
    access_days: z.number().int().nullable(),
    is_archived: z.boolean(),
    verified_at: z.iso
      .datetime()
      .nullable()
      .describe('When it was last seen to be the same as the price at Stripe; null: it was not, or is not.'),
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime(),
  })
  .meta({ id: 'Price' });
export type PriceOut = z.output<typeof priceOut>;
export const priceList = listOf(priceOut).meta({ id: 'PriceList' });
