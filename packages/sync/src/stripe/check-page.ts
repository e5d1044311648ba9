import { id, seconds } from '@billing/domain';
import { z } from 'zod';

const page = z.object({ data: z.array(z.object({ id, created: seconds })), has_more: z.boolean() });

/** The page as it came, once it is known to be one: objects with id and moment. Throws a ZodError. */
export function checkPage<T extends { data: unknown[]; has_more: boolean }>(answer: T): T {
  page.parse(answer);
  return answer;
}
