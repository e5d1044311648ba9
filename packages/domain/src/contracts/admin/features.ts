import { z } from 'zod';
import type { FieldProblem } from '../../errors.ts';
import { displayName, id, text } from '../../ids.ts';
import { featureKinds } from '../../usage/features.ts';
import { dryRun } from './dry-run.ts';
import { listOf } from './listing.ts';

export const featureKind = z.enum(featureKinds);

const unit = text
  .refine((value) => value.length <= 64, { message: 'must have at most 64 characters' })
  .meta({
    maxLength: 64,
    description: 'What is counted, for people: `call`, `seat`.',
  });

const thresholds = z
  .array(z.number().int().min(1).max(1_000))
  .max(10)
  .transform((percents) => [...new Set(percents)].toSorted((a, b) => a - b))
  .describe(
    "Whole percents of a bucket's `granted` (of a counted limit's `limit`): when usage reaches one, a row says so. None for boolean features and limits that are not counted.",
  );

const meterFields = { event_name: z.string(), report: z.enum(['all', 'overage']) };

/** `report`: all usage, or the overage only. */
export const stripeMeter = z
  .strictObject({
    ...meterFields,
    event_name: text
      .refine((name) => name.length <= 100, 'must have at most 100 characters')
      .meta({ maxLength: 100 }),
  })
  .meta({ id: 'NewStripeMeter' });
export const stripeMeterOut = z.object(meterFields).meta({ id: 'StripeMeter' });

const ofFeature =
  'Metered features only: the meter of Stripe that usage is reported to, unless the product that gives the feature says another.';

type Kinds = {
  stripe_meter?: unknown;
  kind?: string | undefined;
  counted?: boolean | undefined;
  thresholds?: unknown[] | undefined;
};

/** What does not go together, as far as it is given. */
export function featureFieldsProblem({
  kind,
  counted,
  thresholds: percents,
  stripe_meter: meter,
}: Kinds): FieldProblem[] {
  const errors: FieldProblem[] = [];
  if (counted === true && kind !== undefined && kind !== 'limit')
    errors.push({ path: 'counted', message: 'is for limits only' });
  if ((percents?.length ?? 0) > 0 && (kind === 'boolean' || (kind === 'limit' && counted === false)))
    errors.push({ path: 'thresholds', message: 'are for metered features and counted limits only' });
  if (meter !== undefined && meter !== null && kind !== undefined && kind !== 'metered')
    errors.push({ path: 'stripe_meter', message: 'is for metered features only' });
  return errors;
}

/** Rules between fields, where the fields are sent together. */
function refineKinds(sent: Kinds, context: z.RefinementCtx): void {
  for (const { path, message } of featureFieldsProblem(sent))
    context.addIssue({ code: 'custom', path: [path], message });
}

export const createFeatureRequest = z
  .strictObject({
    feature_code: id,
    name: displayName.optional(),
    kind: featureKind,
    unit: unit.optional(),
    counted: z
      .boolean()
      .default(false)
      .describe('Limits only: usage raises and lowers a level (seats in use).'),
    thresholds: thresholds.default([]),
    stripe_meter: stripeMeter.optional().describe(ofFeature),
    dry_run: dryRun,
  })
  .superRefine(refineKinds)
  .meta({ id: 'NewFeature' });
export type CreateFeatureRequest = z.output<typeof createFeatureRequest>;

export const patchFeatureRequest = z
  .strictObject({
    name: displayName.nullable().optional(),
    unit: unit.nullable().optional(),
    thresholds: thresholds.optional(),
    stripe_meter: stripeMeter.nullable().optional().describe(`${ofFeature} Null: of none.`),
    kind: featureKind.optional().describe('Only while nothing uses the feature.'),
    counted: z.boolean().optional().describe('Limits only. Only while nothing uses the feature.'),
    dry_run: dryRun,
  })
  .superRefine(refineKinds)
  .meta({ id: 'FeatureChanges' });
export type PatchFeatureRequest = z.output<typeof patchFeatureRequest>;

export const featureOut = z
  .object({
    project_id: z.string(),
    feature_code: z.string(),
    name: z.string().nullable(),
    kind: featureKind,
    unit: z.string().nullable(),
    counted: z.boolean(),
    thresholds: z.array(z.number().int()),
    stripe_meter: stripeMeterOut.nullable(),
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime(),
  })
  .meta({ id: 'Feature' });
export type FeatureOut = z.output<typeof featureOut>;
export const featureList = listOf(featureOut).meta({ id: 'FeatureList' });
