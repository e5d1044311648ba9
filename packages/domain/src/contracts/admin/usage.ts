import { z } from 'zod';
import { id, text } from '../../ids.ts';
import { maxAmount } from '../../usage/amounts.ts';
import { dryRun } from './dry-run.ts';

export const adjustRequest = z
  .strictObject({
    project_id: id,
    user_id: id,
    feature_code: id,
    quantity: z
      .number()
      .int()
      .min(-maxAmount)
      .max(maxAmount)
      .refine((quantity) => quantity !== 0, { message: 'must not be 0' })
      .describe('Not 0. Positive is used, negative gives back.'),
    reason: text,
    event_id: id.optional().describe('Makes the call repeatable. Default: a new one.'),
    dry_run: dryRun,
  })
  .meta({ id: 'UsageAdjustment' });
export type AdjustRequest = z.output<typeof adjustRequest>;
