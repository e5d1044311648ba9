import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { z } from 'zod';

export const usage = `Usage: npm run seed:load -- [--users 1000] [--subscribed 0.6] [--purchased 0.2] [--project load-test]
                            [--usage-events 0] [--warm] [--warm-users 100000] [--stripe-price price_…] | --remove

Fills DATABASE_URL with a project for load tests and prints what the load tools need as NAME=value lines.
Without DATABASE_URL the running local stack (.local/stack.json) is used.
  --usage-events  so many events of usage in the last twelve weeks, of those with a live subscription
  --warm          reads every user (at most --warm-users) through the API (API_URL), so that the cache is full
  --stripe-price  an existing monthly price of a Stripe sandbox, for checkouts against a real Stripe account;
                  with STRIPE_API_BASE (the offline Stripe) one is created
  --remove        deletes the project and all that belongs to it`;

const number = (name: string, { min, max }: { min: number; max: number }) =>
  z.coerce
    .number(`${name} must be a number`)
    .min(min, `${name} must be at least ${min}`)
    .max(max, `${name} must be at most ${max}`);

const optionsSchema = z.strictObject({
  users: number('--users', { min: 1, max: 5_000_000 }).int('--users must be a whole number').default(1_000),
  subscribed: number('--subscribed', { min: 0, max: 1 }).default(0.6),
  purchased: number('--purchased', { min: 0, max: 1 }).default(0.2),
  'usage-events': number('--usage-events', { min: 0, max: 100_000_000 })
    .int('--usage-events must be a whole number')
    .default(0),
  project: z
    .string()
    .regex(/^[\w.-]{1,64}$/, '--project may have letters, digits, ".", "_" and "-"')
    .default('load-test'),
  warm: z.boolean().default(false),
  'warm-users': number('--warm-users', { min: 1, max: 5_000_000 }).int().default(100_000),
  'stripe-price': z.string().min(1).optional(),
  remove: z.boolean().default(false),
});
export type SeedOptions = z.output<typeof optionsSchema>;

/** Parses the command line; throws an Error whose message says what is wrong. */
export function parseOptions(args: readonly string[]): SeedOptions {
  const { values } = parseArgs({
    args: [...args],
    strict: true,
    options: {
      users: { type: 'string' },
      subscribed: { type: 'string' },
      purchased: { type: 'string' },
      'usage-events': { type: 'string' },
      project: { type: 'string' },
      warm: { type: 'boolean' },
      'warm-users': { type: 'string' },
      'stripe-price': { type: 'string' },
      remove: { type: 'boolean' },
    },
  });
  const parsed = optionsSchema.safeParse(values);
  if (parsed.success) return parsed.data;
  throw new Error(parsed.error.issues.map((issue) => issue.message).join('\n'));
}

export type SeedTarget = {
  databaseUrl: string;
  apiUrl: string;
  workerUrl: string | undefined;
  stripeApiBase: string | undefined;
  stripeSecretKey: string;
  webhookSecret: string | undefined;
};

const stackSchema = z.object({
  api_url: z.string(),
  worker_url: z.string().optional(),
  stripe_url: z.string().optional(),
  database_url: z.string(),
  webhook_secret: z.string().optional(),
});

/** The environment's services; without DATABASE_URL those of the local stack. */
export function findTarget(env: Record<string, string | undefined>, stackFile: string): SeedTarget {
  const stripeSecretKey = env['STRIPE_SECRET_KEY'] ?? 'sk_test_offline';
  const webhookSecret = env['STRIPE_WEBHOOK_SECRET']?.split(',', 1)[0];
  if (env['DATABASE_URL'])
    return {
      databaseUrl: env['DATABASE_URL'],
      apiUrl: env['API_URL'] ?? `http://127.0.0.1:${env['PORT'] ?? '8000'}`,
      workerUrl: env['WORKER_URL'],
      stripeApiBase: env['STRIPE_API_BASE'],
      stripeSecretKey,
      webhookSecret,
    };
  const stack = stackSchema.parse(JSON.parse(readStack(stackFile)));
  return {
    databaseUrl: stack.database_url,
    apiUrl: env['API_URL'] ?? stack.api_url,
    workerUrl: stack.worker_url,
    stripeApiBase: stack.stripe_url,
    stripeSecretKey,
    webhookSecret: webhookSecret ?? stack.webhook_secret,
  };
}

function readStack(stackFile: string): string {
  try {
    return readFileSync(stackFile, 'utf8');
  } catch {
    throw new Error('Set DATABASE_URL, or run `npm start` first: there is no .local/stack.json.');
  }
}
