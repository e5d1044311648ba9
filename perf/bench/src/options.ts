import { parseArgs } from 'node:util';
import { z } from 'zod';

const schema = z.object({
  only: z
    .string()
    .transform((names) => names.split(','))
    .optional(),
  rounds: z.coerce.number().int().min(1).max(100).default(5),
  seconds: z.coerce.number().min(1).max(600).default(2),
  users: z.coerce.number().int().min(100).max(2_000_000).default(2_000),
});

export type Options = z.output<typeof schema>;

/** Parses the command line; throws an Error whose message says what is wrong. */
export function parseOptions(args: readonly string[], partNames: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string' },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      users: { type: 'string' },
    },
  });
  const options = schema.parse(values);
  const unknown = options.only?.filter((name) => !partNames.includes(name)) ?? [];
  if (unknown.length === 0) return options;
  throw new Error(`No such scenario: ${unknown.join(', ')}. There are: ${partNames.join(', ')}.`);
}
