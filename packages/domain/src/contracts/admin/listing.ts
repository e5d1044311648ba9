import { z } from 'zod';

/** How much of a list is wanted, and from where: `cursor` is what the page before gave as `next_cursor`. */
export const pageFields = {
  limit: z.coerce.number().int().min(1).max(100).default(50).describe('How many rows.'),
  cursor: z
    .string()
    .min(1)
    .max(2000)
    .optional()
    .meta({ description: 'The `next_cursor` of the page before.', pattern: '^[A-Za-z0-9_-]+$' }),
};

export const pageQuery = z.strictObject(pageFields);
export type PageQuery = z.output<typeof pageQuery>;

/** The answer of every list. */
export const listOf = <T extends z.ZodType>(row: T) =>
  z.object({ data: z.array(row), next_cursor: z.string().nullable() });
