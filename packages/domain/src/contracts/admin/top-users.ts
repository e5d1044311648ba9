import { z } from 'zod';
import { id } from '../../ids.ts';
import { timestamp } from '../../time.ts';

/** The longest time over which users are compared: all their slots of it are read. */
export const mostTopDays = 31;

export const topUsersQuery = z.strictObject({
  feature_code: id,
  from: timestamp(
    `From this moment on: before \`to\`, by at most ${mostTopDays} days. Default: 24 hours before \`to\`.`,
  ).optional(),
  to: timestamp('Up to this moment, exclusive. Default: now.').optional(),
  limit: z.coerce.number().int().min(1).max(100).default(10).describe('The most users to return.'),
});
export type TopUsersQuery = z.output<typeof topUsersQuery>;

export const topUsersOut = z
  .object({
    feature_code: z.string(),
    from: z.iso.datetime().describe('Whole quarters of an hour are counted, from this one on.'),
    to: z.iso.datetime().describe('Exclusive.'),
    users: z.number().int().describe('How many users used it in that time.'),
    quantity: z.number().int().describe('What all of them used.'),
    data: z
      .array(
        z.object({
          user_id: z.string(),
          quantity: z.number().int(),
          overage: z.number().int().describe('How much of it no allowance covered.'),
        }),
      )
      .describe('Who used most first.'),
  })
  .meta({ id: 'TopUsers' });
export type TopUsersOut = z.output<typeof topUsersOut>;
