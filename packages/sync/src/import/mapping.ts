import { readFileSync } from 'node:fs';
import { createFeatureRequest, id, priceIntervals, productFeatures } from '@billing/domain';
import { z } from 'zod';
import { ImportError } from './import-deps.ts';

const mappedPrice = z.strictObject({
  stripe_price_id: id,
  /** Default: Stripe's id, which then works on both sides. */
  price_id: id.optional(),
  /** One-time prices only: how many days a purchase lasts; absent: for ever. */
  access_days: z.number().int().min(1).max(36_500).nullable().optional(),
  /** As Stripe has them in any case; where these differ, the import says so. */
  interval: z.enum(priceIntervals).optional(),
  amount: z.number().int().min(0).max(999_999_999_999).optional(),
});
export type MappedPrice = z.output<typeof mappedPrice>;

const mappedProduct = z
  .strictObject({
    product_id: id,
    name: z.string().min(1).max(256),
    /** Without settings. */
    feature_codes: z.array(id).max(200).default([]),
    /** Its limits and metered features, as the API takes them. */
    features: productFeatures.optional(),
    /** Of its one-time prices that are not listed. */
    access_days: z.number().int().min(1).max(36_500).nullable().optional(),
    /** Plans of one group exclude each other; higher ranks are dearer. */
    group: id.optional(),
    rank: z.number().int().min(-1_000_000).max(1_000_000).optional(),
    /** Everybody has it while nothing else of its group is in force. */
    is_default: z.boolean().optional(),
    max_trials_per_user: z.number().int().min(0).max(1_000).optional(),
    /** All prices of this Stripe product belong to it, also those that are not listed. */
    stripe_product_id: id.optional(),
    prices: z.array(mappedPrice).default([]),
  })
  .refine(
    (product) =>
      product.is_default === true || product.stripe_product_id !== undefined || product.prices.length > 0,
    { message: 'needs a stripe_product_id or prices, unless it is a default' },
  );
export type MappedProduct = z.output<typeof mappedProduct>;

const mappingFile = z.strictObject({
  /** What codes stand for; those that are not described are boolean. */
  features: z.array(createFeatureRequest).optional(),
  products: z.array(mappedProduct).min(1),
});
export type Mapping = z.output<typeof mappingFile>;

/** Reads a mapping file. Throws an ImportError that names every bad field. */
export function readMapping(path: string): Mapping {
  const parsed = mappingFile.safeParse(parseJsonFile(path));
  if (!parsed.success) {
    const problems = parsed.error.issues.map(
      (issue) => `  ${issue.path.map(String).join('.') || 'the file'}: ${issue.message}`,
    );
    throw new ImportError(`The mapping file ${path} can't be used. Correct:\n${problems.join('\n')}`);
  }
  refuseTwice(path, parsed.data);
  return parsed.data;
}

function parseJsonFile(path: string): unknown {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    throw new ImportError(`The mapping file ${path} can't be read. Give the path of an existing file.`);
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'it is no JSON';
    throw new ImportError(`The mapping file ${path} is no JSON: ${reason}`);
  }
}

function refuseTwice(path: string, { features, products }: Mapping): void {
  const names = [
    ...(features ?? []).map((feature) => `feature_code ${feature.feature_code}`),
    ...products.map((product) => `product_id ${product.product_id}`),
    ...products
      .flatMap((product) => product.stripe_product_id ?? [])
      .map((one) => `stripe_product_id ${one}`),
    ...products.flatMap(({ prices }) => prices.map((price) => `stripe_price_id ${price.stripe_price_id}`)),
  ];
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined)
    throw new ImportError(`The mapping file ${path} has ${twice} twice. Leave one of them.`);
}
