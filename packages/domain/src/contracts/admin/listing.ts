import { z } from 'zod';

/** The query of every list. */
export const pageFields = {
  limit: z.coerce.number().int().min(1).max(100).default(50).describe('The most rows to return.'),
  cursor: z.string().min(1).max(2000).optional().meta({
    description:
      'The `next_cursor` of the previous page of this list; anything else is refused. Absent: the first page.',
    pattern: '^[A-Za-z0-9_-]+$',
  }),
};

export const pageQuery = z.strictObject(pageFields);

/** The answer of every list. */
export const listOf = <T extends z.ZodType>(row: T) =>
  z.object({ data: z.array(row), next_cursor: z.string().nullable() });
