import { z } from 'zod';
import { id } from '../../ids.ts';
import { amount } from '../../usage/amounts.ts';
import { allowancePeriods, settingsOf } from '../../usage/features.ts';
import type { FeatureSettings, SettingsByCode } from '../../usage/features.ts';
import { stripeMeter, stripeMeterOut } from './features.ts';
import { storableJson, storableRule } from '../../usage/storable-json.ts';

const ofLimits = 'Limits only.';
const ofMetered = 'Metered features only.';

const limitFields = {
  limit: amount.nullable().optional().describe(`${ofLimits} Required for them. Null: unlimited.`),
  value: storableJson(4_096)
    .optional()
    .meta({ description: `${ofLimits} Any JSON up to 4 KB, ${storableRule}. Handed out as it is.` }),
  add_on: z
    .boolean()
    .optional()
    .describe(`${ofLimits} Added to the greatest limit of the sources without it. Default: false.`),
};

const meteredFields = {
  allowance: amount.nullable().optional().describe(`${ofMetered} Required for them. Null: unlimited.`),
  trial_allowance: amount
    .nullable()
    .optional()
    .describe(`${ofMetered} In place of \`allowance\` in a trial. Default: the same.`),
  period: z
    .enum(allowancePeriods)
    .optional()
    .describe(
      `${ofMetered} Required for them. How often it is granted anew; \`billing\`: with each paid period; \`once\`: never.`,
    ),
  anchor: z
    .enum(['source', 'calendar'])
    .optional()
    .describe(
      `${ofMetered} Whether days, weeks, months and years count from the source's start or are the calendar's. Default: source.`,
    ),
  overage: z
    .enum(['deny', 'allow'])
    .optional()
    .describe(`${ofMetered} Whether more than the allowance may be taken. Default: deny.`),
  overage_limit: amount
    .nullable()
    .optional()
    .describe(`${ofMetered} With \`overage: allow\` only: how much more. Null or absent: no limit.`),
  rollover: z
    .strictObject({ periods: z.number().int().min(1).max(12), max: amount.optional() })
    .optional()
    .describe(
      `${ofMetered} What a period leaves is granted for so many further periods, at most \`max\` in all. Not with \`period: once\`.`,
    ),
  stripe_meter: stripeMeter
    .optional()
    .describe(
      `${ofMetered} The Stripe meter that its usage, or the overage only, is reported to, in place of the feature's.`,
    ),
};

const fields = {
  feature_code: id,
  per_unit: z
    .boolean()
    .optional()
    .describe("The limit or allowance is for one of the item's quantity. Default: false."),
  ...limitFields,
  ...meteredFields,
};

const productFeatureFields = z.strictObject(fields);
type Fields = z.output<typeof productFeatureFields>;

const namesOf = <T extends object>(of: T): (keyof T & string)[] =>
  Object.keys(of).filter((name): name is keyof T & string => name in of);
const limitOnly = namesOf(limitFields);
const meteredOnly = namesOf(meteredFields);

/** What one field demands or excludes of the others; each problem at the field's path. */
function refineSettings(sent: Fields, context: z.RefinementCtx): void {
  const refuse = (path: string, message: string) =>
    context.addIssue({ code: 'custom', path: [path], message });
  const [isOfLimit, isOfMetered] = [limitOnly, meteredOnly].map((names) =>
    names.some((name) => sent[name] !== undefined),
  );
  if (isOfLimit && isOfMetered) {
    for (const name of limitOnly.filter((one) => sent[one] !== undefined))
      refuse(name, 'does not go with the settings of a metered feature');
    return;
  }
  if (isOfLimit && sent.limit === undefined) refuse('limit', 'is missing');
  if (!isOfMetered) return;
  if (sent.allowance === undefined) refuse('allowance', 'is missing');
  if (sent.period === undefined) refuse('period', 'is missing');
  if ((sent.overage_limit ?? null) !== null && sent.overage !== 'allow')
    refuse('overage_limit', 'is for overage: allow only');
  if (sent.rollover !== undefined && sent.period === 'once') refuse('rollover', 'is not for period: once');
}

/** With the defaults; undefined: the entry only names the code. */
function toSettings(sent: Omit<Fields, 'feature_code'>): FeatureSettings | undefined {
  const { limit, allowance, period, per_unit = false } = sent;
  if (limit !== undefined) {
    const { value, add_on = false } = sent;
    return { limit, per_unit, add_on, ...(value === undefined ? {} : { value }) };
  }
  if (allowance === undefined || period === undefined) return undefined;
  const { trial_allowance, rollover, stripe_meter, anchor = 'source', overage = 'deny' } = sent;
  return {
    allowance,
    period,
    anchor,
    per_unit,
    overage,
    overage_limit: sent.overage_limit ?? null,
    ...(trial_allowance === undefined ? {} : { trial_allowance }),
    ...(rollover === undefined
      ? {}
      : {
          rollover: {
            periods: rollover.periods,
            ...(rollover.max === undefined ? {} : { max: rollover.max }),
          },
        }),
    ...(stripe_meter === undefined ? {} : { stripe_meter }),
  };
}

/** One feature of a product. `settings` is undefined where the entry only names the code. */
export const productFeature = productFeatureFields
  .superRefine(refineSettings)
  .transform((sent) => ({ feature_code: sent.feature_code, settings: toSettings(sent) }))
  .meta({ id: 'NewProductFeature' });

const storedSettings = z.record(z.string(), z.unknown());
/** Fields of a newer version of the service are left out. */
const storedFeature = z.object(fields).partial({ feature_code: true });

/** The settings as a product stores them. Throws ZodError for anything else. */
export function parseSettings(stored: unknown): SettingsByCode {
  const entries = Object.entries(storedSettings.parse(stored)).flatMap(([code, one]) => {
    const settings = toSettings(storedFeature.parse(one));
    return settings === undefined ? [] : [[code, settings] as const];
  });
  return Object.fromEntries(entries);
}

/** What the document says of `features`: rules that its schema cannot express. */
export const featuresMeaning =
  'The features with settings; no code may be named twice. A limit takes `limit`, a metered feature `allowance` and `period`, never settings of both; a boolean feature takes no settings. Together with the other codes at most 200.';

/** `features` of a product. */
export const productFeatures = z
  .array(productFeature)
  .max(200)
  .superRefine((all, context) => {
    const seen = new Set<string>();
    for (const [index, { feature_code: code }] of all.entries()) {
      if (seen.has(code))
        context.addIssue({ code: 'custom', path: [index, 'feature_code'], message: 'is named twice' });
      seen.add(code);
    }
  })
  .describe(featuresMeaning);
export type ProductFeatures = z.output<typeof productFeatures>;

/** How a product shows a feature with settings: as it was sent, with the defaults. */
export const productFeatureOut = z
  .object({
    feature_code: z.string(),
    limit: z.number().int().nullable().optional(),
    value: z.unknown().optional(),
    per_unit: z.boolean(),
    add_on: z.boolean().optional(),
    allowance: z.number().int().nullable().optional(),
    trial_allowance: z.number().int().nullable().optional(),
    period: z.enum(allowancePeriods).optional(),
    anchor: z.enum(['source', 'calendar']).optional(),
    overage: z.enum(['deny', 'allow']).optional(),
    overage_limit: z.number().int().nullable().optional(),
    rollover: z.object({ periods: z.number().int(), max: z.number().int().optional() }).optional(),
    stripe_meter: stripeMeterOut.optional(),
  })
  .meta({ id: 'ProductFeature' });
export type ProductFeatureOut = z.output<typeof productFeatureOut>;

/** How a product's features with settings are shown, in the order of its codes. */
export const toProductFeaturesOut = (
  featureCodes: readonly string[],
  settings: SettingsByCode,
): ProductFeatureOut[] =>
  featureCodes.flatMap((code) => {
    const one = settingsOf(settings, code);
    return one === undefined ? [] : [{ feature_code: code, ...one }];
  });
