import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { entries } from '../paths.ts';

/** What `seed:load` prints about its project. */
export type Seeded = {
  projectId: string;
  apiKey: string;
  priceId: string;
  userPrefix: string;
  userCount: number;
  subscribedCount: number;
  subscriptionPrefix: string;
  itemPrefix: string;
  customerPrefix: string;
  stripePrice: string;
  checkoutFrom: number;
};

type SeedOptions = { databaseUrl: string; stripeUrl: string; stripeKey: string; users: number };

/** Fills the database by `npm run seed:load`. */
export async function seed({ databaseUrl, stripeUrl, stripeKey, users }: SeedOptions): Promise<Seeded> {
  const { stdout } = await promisify(execFile)(process.execPath, [entries.seed, '--users', String(users)], {
    env: {
      PATH: process.env['PATH'],
      DATABASE_URL: databaseUrl,
      STRIPE_API_BASE: stripeUrl,
      STRIPE_SECRET_KEY: stripeKey,
    },
  });
  const values = new Map(
    stdout.split('\n').map((line) => [line.split('=')[0], line.slice(line.indexOf('=') + 1)]),
  );
  const value = (name: string): string => {
    const found = values.get(name);
    if (found === undefined) throw new Error(`seed:load did not print ${name}.`);
    return found;
  };
  return {
    projectId: value('PROJECT_ID'),
    apiKey: value('API_KEY'),
    priceId: value('PRICE_ID'),
    userPrefix: value('USER_PREFIX'),
    userCount: Number(value('USER_COUNT')),
    subscribedCount: Number(value('WEBHOOK_USER_TO')),
    subscriptionPrefix: value('SUBSCRIPTION_PREFIX'),
    itemPrefix: value('SUBSCRIPTION_ITEM_PREFIX'),
    customerPrefix: value('CUSTOMER_PREFIX'),
    stripePrice: value('EVENT_STRIPE_PRICE'),
    checkoutFrom: Number(value('CHECKOUT_USER_FROM')),
  };
}
