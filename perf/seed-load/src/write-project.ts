import { createHash, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { apiKeyPrefix } from '@billing/domain';
import type { Client } from 'pg';
import type { LoadPlan, LoadPrice } from './plan.ts';
import { checkoutPriceId } from './plan.ts';

/** Every project key that a seed makes has this name, so that the next run can take it away. */
const keyName = 'seed:load';

/**
 * Writes the project and its catalog; what exists stays. Refuses a project that holds other data, as rows of
 * two shapes would mix.
 */
export async function writeProject(client: Client, plan: LoadPlan): Promise<void> {
  // Versions must never go back, or caches would keep answers of a project that was removed and made again.
  const version = Math.floor(Date.now() / 1000);
  const made = await client.query(
    `INSERT INTO projects (id, name, description, version) VALUES ($1, 'Load test', $2, $3)
     ON CONFLICT (id) DO NOTHING`,
    [plan.projectId, plan.description, version],
  );
  if (made.rowCount === 0) await refuseOtherShape(client, plan);
  for (const product of plan.products)
    await client.query(
      `INSERT INTO products (project_id, product_id, name, feature_codes) VALUES ($1, $2, $2, $3)
       ON CONFLICT (project_id, product_id) DO NOTHING`,
      [plan.projectId, product.productId, product.featureCodes],
    );
  for (const price of plan.prices) await writePrice(client, plan.projectId, price);
  await oweInvalidation(client, plan.projectId);
}

async function refuseOtherShape(client: Client, plan: LoadPlan): Promise<void> {
  const found = await client.query('SELECT description FROM projects WHERE id = $1', [plan.projectId]);
  if (found.rows[0]?.description === plan.description) return;
  throw new Error(
    `Project "${plan.projectId}" exists with other data (${found.rows[0]?.description ?? 'not made by seed:load'}). ` +
      'Take it away with --remove, or choose another --project.',
  );
}

async function writePrice(client: Client, projectId: string, price: LoadPrice): Promise<void> {
  await client.query(
    `INSERT INTO prices (project_id, price_id, product_id, stripe_price_id, amount, currency, interval, access_days)
     VALUES ($1, $2, $3, $4, $5, 'usd', $6, $7) ON CONFLICT (project_id, price_id) DO NOTHING`,
    [
      projectId,
      price.priceId,
      price.productId,
      price.stripePriceId,
      price.amountCents,
      price.interval,
      price.accessDays,
    ],
  );
}

export const checkoutAmountCents = 1_900;

/** The price that checkouts buy follows Stripe: an offline Stripe that was emptied has given it a new id. */
export async function writeCheckoutPrice(
  client: Client,
  projectId: string,
  stripePriceId: string,
): Promise<void> {
  await client.query(
    `INSERT INTO prices (project_id, price_id, product_id, stripe_price_id, amount, currency, interval)
     VALUES ($1, $2, 'checkout', $3, $4, 'usd', 'month')
     ON CONFLICT (project_id, price_id) DO UPDATE SET stripe_price_id = excluded.stripe_price_id`,
    [projectId, checkoutPriceId, stripePriceId, checkoutAmountCents],
  );
}

/** Stores the key's digest and takes away the one of the last run: only digests are kept, so it can't be told again. */
export async function writeApiKey(client: Client, projectId: string, apiKey: string): Promise<void> {
  await client.query('DELETE FROM api_keys WHERE project_id = $1 AND name = $2', [projectId, keyName]);
  const digest = createHash('sha256').update(apiKey).digest();
  await client.query(
    'INSERT INTO api_keys (id, project_id, name, prefix, digest) VALUES ($1, $2, $3, $4, $5)',
    [`key_${randomUUID()}`, projectId, keyName, apiKeyPrefix(apiKey), digest],
  );
}

/** Tells the running processes through the outbox that all cached answers of the project are old. */
export async function oweInvalidation(client: Client, projectId: string): Promise<void> {
  await client.query(
    `WITH bumped AS (
       UPDATE projects SET version = greatest(version + 1, extract(epoch FROM now())::bigint) WHERE id = $1
       RETURNING id, version)
     INSERT INTO cache_invalidations (project_id, version) SELECT id, version FROM bumped`,
    [projectId],
  );
}

const invalidationDeadlineMs = 35_000;

/**
 * Waits until a running process has told the cache: answers that are cached before would be old at once.
 * Throws when nobody does within the time that the outbox is drained in.
 */
export async function awaitInvalidation(client: Client, projectId: string): Promise<void> {
  const givesUpAt = Date.now() + invalidationDeadlineMs;
  while (Date.now() < givesUpAt) {
    const owed = await client.query(
      'SELECT FROM cache_invalidations WHERE project_id = $1 AND user_id IS NULL LIMIT 1',
      [projectId],
    );
    if (owed.rowCount === 0) return;
    await sleep(200);
  }
  throw new Error(
    'The cache was not told of the new data in time: are API or worker running on this database?',
  );
}
