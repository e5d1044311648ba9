import { createHash, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { apiKeyPrefix } from '@billing/domain';
import type { Client } from 'pg';
import type { LoadPlan, LoadPrice } from './plan.ts';
import { checkoutPriceId } from './plan.ts';

/** The name of the key that a seed creates; the next run deletes it. */
const keyName = 'seed:load';

/**
 * Writes the project and its catalog; what exists stays. Throws for a project with other data, as rows of two
 * shapes would mix.
 */
export async function writeProject(client: Client, plan: LoadPlan): Promise<void> {
  // Versions must never go back, or caches would keep answers of a project that was removed and created again.
  const version = Math.floor(Date.now() / 1000);
  const made = await client.query(
    `INSERT INTO projects (id, name, description, version) VALUES ($1, 'Load test', $2, $3)
     ON CONFLICT (id) DO NOTHING`,
    [plan.projectId, plan.description, version],
  );
  if (made.rowCount === 0) await refuseOtherShape(client, plan);
  for (const { featureCode, kind, unit, counted, thresholds } of plan.features)
    await client.query(
      `INSERT INTO features (project_id, feature_code, kind, unit, counted, thresholds, updated_at)
       VALUES ($1, $2, $3, $4, $5, $6, now()) ON CONFLICT (project_id, feature_code) DO NOTHING`,
      [plan.projectId, featureCode, kind, unit, counted, thresholds],
    );
  for (const product of plan.products)
    await client.query(
      `INSERT INTO products (project_id, product_id, name, feature_codes, features) VALUES ($1, $2, $2, $3, $4)
       ON CONFLICT (project_id, product_id) DO NOTHING`,
      [plan.projectId, product.productId, product.featureCodes, product.settings ?? {}],
    );
  for (const price of plan.prices) await writePrice(client, plan.projectId, price);
  await addPendingInvalidation(client, plan.projectId);
}

async function refuseOtherShape(client: Client, plan: LoadPlan): Promise<void> {
  const found = await client.query('SELECT description FROM projects WHERE id = $1', [plan.projectId]);
  if (found.rows[0]?.description === plan.description) return;
  throw new Error(
    `Project "${plan.projectId}" exists with other data (${found.rows[0]?.description ?? 'not made by seed:load'}). ` +
      'Remove it with --remove, or choose another --project.',
  );
}

async function writePrice(client: Client, projectId: string, price: LoadPrice): Promise<void> {
  await client.query(
    `INSERT INTO prices (project_id, price_id, product_id, stripe_price_id, amount, currency, interval, access_days,
       verify_at)
     -- Stripe does not have them: there is nothing to verify.
     VALUES ($1, $2, $3, $4, $5, 'usd', $6, $7, NULL) ON CONFLICT (project_id, price_id) DO NOTHING`,
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

/** Writes the price that checkouts buy. An offline Stripe that was emptied gives it a new id. */
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

/** Stores the key's digest and deletes the key of the last run, whose secret nobody can read any more. */
export async function writeApiKey(client: Client, projectId: string, apiKey: string): Promise<void> {
  await client.query('DELETE FROM api_keys WHERE project_id = $1 AND name = $2', [projectId, keyName]);
  const digest = createHash('sha256').update(apiKey).digest();
  await client.query(
    'INSERT INTO api_keys (id, project_id, name, prefix, digest) VALUES ($1, $2, $3, $4, $5)',
    [`key_${randomUUID()}`, projectId, keyName, apiKeyPrefix(apiKey), digest],
  );
}

/** Invalidates all cached answers of the project, through the outbox. */
export async function addPendingInvalidation(client: Client, projectId: string): Promise<void> {
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
 * Waits until the pending invalidation is published, as answers that are cached before it would be old at once.
 * Throws after 35 s, when API and worker should have published it.
 */
export async function waitUntilPublished(client: Client, projectId: string): Promise<void> {
  const deadline = Date.now() + invalidationDeadlineMs;
  while (Date.now() < deadline) {
    const pending = await client.query(
      'SELECT FROM cache_invalidations WHERE project_id = $1 AND user_id IS NULL LIMIT 1',
      [projectId],
    );
    if (pending.rowCount === 0) return;
    await sleep(200);
  }
  throw new Error('The cache was not invalidated in time: are API or worker running on this database?');
}
