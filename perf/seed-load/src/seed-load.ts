import { randomBytes } from 'node:crypto';
import { apiKeyRandomBytes, formatApiKey } from '@billing/domain';
import { createStripeClient } from '@billing/platform';
import { Client } from 'pg';
import type { Stripe } from 'stripe';
import type { SeedOptions, SeedTarget } from './options.ts';
import { checkoutPriceId, environmentLines, planLoad, type LoadPlan } from './plan.ts';
import { removeProject } from './remove-project.ts';
import { warmCache } from './warm-cache.ts';
import {
  checkoutAmountCents,
  waitUntilPublished,
  writeApiKey,
  writeCheckoutPrice,
  writeProject,
} from './write-project.ts';
import { writeRows } from './write-rows.ts';
import { writeUsage } from './write-usage.ts';

/** Prints progress for people; the environment lines are the result. */
export type Say = (line: string) => void;

/** Fills the database (or empties it again) as the options say and returns the environment lines for the load tools. */
export async function seedLoad(options: SeedOptions, target: SeedTarget, say: Say): Promise<string[]> {
  const plan = planLoad({
    projectId: options.project,
    users: options.users,
    subscribed: options.subscribed,
    purchased: options.purchased,
    usageEvents: options['usage-events'],
  });
  const client = new Client({ connectionString: target.databaseUrl, connectionTimeoutMillis: 5_000 });
  await client.connect();
  try {
    await client.query('SET synchronous_commit = off');
    if (options.remove) {
      const removed = await removeProject(client, plan, (users) => say(`${users} users removed`));
      say(`Project "${plan.projectId}" is gone (${removed} users).`);
      return [];
    }
    return await fill({ client, plan, options, target, say });
  } finally {
    await client.end();
  }
}

type Filling = { client: Client; plan: LoadPlan; options: SeedOptions; target: SeedTarget; say: Say };

async function fill({ client, plan, options, target, say }: Filling): Promise<string[]> {
  await writeProject(client, plan);
  await writeRows(client, plan, (users) => say(`${users} of ${plan.users} users written`));
  await writeUsage(client, plan, (events) => say(`${events} of ${plan.usageEvents} events of usage written`));
  const stripePriceId = await checkoutPrice({ client, plan, options, target });
  if (stripePriceId === undefined)
    say('No price for checkouts: set STRIPE_API_BASE, or give --stripe-price of a Stripe sandbox.');
  else await writeCheckoutPrice(client, plan.projectId, stripePriceId);
  const apiKey = formatApiKey(randomBytes(apiKeyRandomBytes));
  await writeApiKey(client, plan.projectId, apiKey);
  if (options.warm) {
    await waitUntilPublished(client, plan.projectId);
    const users = Math.min(plan.users, options['warm-users']);
    const read = await warmCache(plan, { apiUrl: target.apiUrl, apiKey, users });
    say(`${read} users read through ${target.apiUrl}: the cache is warm.`);
  }
  return environmentLines(plan, { ...target, apiKey, hasCheckoutPrice: stripePriceId !== undefined });
}

async function checkoutPrice(filling: Omit<Filling, 'say'>): Promise<string | undefined> {
  const { client, plan, options, target } = filling;
  if (options['stripe-price'] !== undefined) return options['stripe-price'];
  if (target.stripeApiBase === undefined || target.stripeApiBase === '') return undefined;
  const known = await client.query<{ stripe_price_id: string }>(
    'SELECT stripe_price_id FROM prices WHERE project_id = $1 AND price_id = $2',
    [plan.projectId, checkoutPriceId],
  );
  const stripe = createStripeClient({ secretKey: target.stripeSecretKey, apiBase: target.stripeApiBase });
  return makeStripePrice(stripe, known.rows[0]?.stripe_price_id);
}

/** Creates the monthly price that checkouts buy, unless `known` still exists at Stripe. Returns its Stripe id. */
async function makeStripePrice(stripe: Stripe, known: string | undefined): Promise<string> {
  if (known !== undefined) {
    const isThere = await stripe.prices.retrieve(known).then(
      () => true,
      () => false,
    );
    if (isThere) return known;
  }
  const product = await stripe.products.create({ name: 'Load test plan' });
  const price = await stripe.prices.create({
    product: product.id,
    currency: 'usd',
    unit_amount: checkoutAmountCents,
    recurring: { interval: 'month' },
  });
  return price.id;
}
