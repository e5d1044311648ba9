import { z } from 'zod';
import { displayName, id, text } from '../../ids.ts';
import { listOf } from './listing.ts';

const featureCodes = z
  .array(id)
  .max(200)
  .transform((codes) => [...new Set(codes)]);

export const createProductRequest = z
  .strictObject({
    product_id: id,
    name: displayName,
    description: text.nullable().optional(),
    feature_codes: featureCodes,
  })
  .meta({ id: 'NewProduct' });
export type CreateProductRequest = z.output<typeof createProductRequest>;

export const patchProductRequest = z
  .strictObject({
    name: displayName.optional(),
    description: text.nullable().optional(),
    feature_codes: featureCodes.optional(),
    is_archived: z.boolean().optional(),
  })
  .meta({ id: 'ProductChanges' });
export type PatchProductRequest = z.output<typeof patchProductRequest>;

export const productOut = z
  .object({
    project_id: z.string(),
    product_id: z.string(),
    name: z.string(),
    description: z.string().nullable(),
    feature_codes: z.array(z.string()),
    is_archived: z.boolean(),
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime(),
  })
  .meta({ id: 'Product' });
export type ProductOut = z.output<typeof productOut>;
export const productList = listOf(productOut).meta({ id: 'ProductList' });

export const priceIntervals = ['month', 'year', 'one_time'] as const;
export type PriceInterval = (typeof priceIntervals)[number];

export const createPriceRequest = z
  .strictObject({
    price_id: id.optional().describe('Default: the Stripe price id.'),
    product_id: id,
    stripe_price_id: id,
    amount: z.number().int().min(0).max(999_999_999_999).describe("In the currency's smallest unit."),
    currency: z
      .string()
      .regex(/^[A-Za-z]{3}$/, 'must be a three-letter ISO currency code')
      .transform((code) => code.toLowerCase()),
    interval: z.enum(priceIntervals),
    access_days: z
      .number()
      .int()
      .min(1)
      .max(36_500)
      .nullable()
      .optional()
      .describe('With `interval: one_time` only: how long access lasts; null or absent: for ever.'),
  })
  .refine((price) => (price.access_days ?? null) === null || price.interval === 'one_time', {
    path: ['access_days'],
    message: 'is for one_time prices only',
  })
  .meta({ id: 'NewPrice' });
export type CreatePriceRequest = z.output<typeof createPriceRequest>;

export const patchPriceRequest = z
  .strictObject({ is_archived: z.boolean().optional() })
  .meta({ id: 'PriceChanges' });
export type PatchPriceRequest = z.output<typeof patchPriceRequest>;

export const priceOut = z
  .object({
    project_id: z.string(),
    price_id: z.string(),
    product_id: z.string(),
    stripe_price_id: z.string(),
    amount: z.number().int(),
    currency: z.string(),
    interval: z.enum(priceIntervals),
    access_days: z.number().int().nullable(),
    is_archived: z.boolean(),
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime(),
  })
  .meta({ id: 'Price' });
export type PriceOut = z.output<typeof priceOut>;
export const priceList = listOf(priceOut).meta({ id: 'PriceList' });
