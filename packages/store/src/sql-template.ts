import { Prisma } from './generated/client.ts';

/**
 * A statement, or a part of one, whose text is made once: each `$name` in it stands for a value, in the order in
 * which they are given. Prepared statements are found by their text, so it must not depend on the values.
 */
export function sqlTemplate(text: string): (...values: unknown[]) => Prisma.Sql {
  const strings = text.split(/\$[a-z_]+/);
  return (...values) => new Prisma.Sql(strings, values);
}
