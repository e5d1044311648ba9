import { z } from 'zod';
import { id } from '../../ids.ts';
import { listOf, pageFields } from './listing.ts';

export const duplicatesQuery = z.strictObject({
  ...pageFields,
  project_id: id.optional().describe('Only of this project.'),
});
export type DuplicatesQuery = z.output<typeof duplicatesQuery>;

export const duplicateOut = z
  .object({
    project_id: z.string(),
    user_id: z.string(),
    subscription_id: z.string(),
    stripe_customer_id: z.string().nullable(),
    status: z.string(),
    group: z.string().nullable().describe('The group that it shares with another one; null: none.'),
    stripe_price_id: z.string().nullable().describe('The price that it shares with another one; null: none.'),
    is_duplicate: z.boolean().describe('False: it is the oldest of them.'),
    duplicate_of: z.string().nullable().describe('The oldest one; null: it is that one itself.'),
    created: z.iso.datetime(),
  })
  .meta({ id: 'Duplicate' });
export type DuplicateOut = z.output<typeof duplicateOut>;
export const duplicateList = listOf(duplicateOut).meta({ id: 'DuplicateList' });
