import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deriveEntitlements, hourMs, resolvePolicy } from '@billing/domain';
import { createOfflineStripe } from '@billing/offline-stripe';
import { readSources } from '@billing/store';
import { freshState, longestPage, runImport, totalOf } from '@billing/sync';
import type { ImportDeps, ImportState, Mapping, Tally } from '@billing/sync';
import { createTestDatabase, startTestRedis, waitFor } from '@billing/testing';
import { connect } from './connect.ts';
import { startStripeFront } from './stripe-front.test-support.ts';

export const shop = 'shop';

export const newState = (): ImportState =>
  freshState({ project: shop, account: 'acct', mapping: 'mapping', customers: 'customers' });

export const quiet = { at: () => undefined, say: () => undefined, end: () => undefined };

type RunOptions = Partial<Omit<ImportDeps, 'sync'>> & { budget?: ImportDeps['sync']['budget'] };

/** An account that sold with Stripe before the service existed: no webhook ever reached us. */
export async function startOldAccount() {
  const offline = createOfflineStripe({ stateDir: null, webhookUrl: null, webhookSecret: 'whsec_unused' });
  const [testDatabase, redis, stripeServer] = await Promise.all([
    createTestDatabase(),
    startTestRedis(),
    offline.listen(0),
  ]);
  const front = await startStripeFront(stripeServer.url);
  const folder = mkdtempSync(join(tmpdir(), 'billing-import-'));
  const environment = {
    DATABASE_URL: testDatabase.url,
    REDIS_URL: redis.url,
    STRIPE_SECRET_KEY: 'sk_test_import',
    STRIPE_API_BASE: front.url,
    STRIPE_READS_PER_SECOND: '100',
  };
  const { sync, close } = connect(environment);
  const { stripe, database } = sync;
  await waitFor(() => sync.cache.enabledShare() === 1, { what: 'the cache' });
  await database.project.create({ data: { id: shop, name: 'Shop' } });

  const control = async (path: string, body: object = {}): Promise<void> => {
    const response = await fetch(`${stripeServer.url}/_offline${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`control ${path}: ${response.status} ${await response.text()}`);
  };

  async function price(name: string, recurring?: { interval: 'month' | 'year' | 'week' }) {
    const product = await stripe.products.create({ name });
    const made = await stripe.prices.create({
      product: product.id,
      currency: 'usd',
      unit_amount: 900,
      ...(recurring === undefined ? {} : { recurring }),
    });
    return { productId: product.id, priceId: made.id };
  }

  /** Pays through Checkout. */
  async function buy(
    customer: string,
    priceId: string,
    { mode, metadata }: { mode: 'payment' | 'subscription'; metadata?: Record<string, string> },
  ) {
    const session = await stripe.checkout.sessions.create({
      mode,
      customer,
      success_url: 'https://app.example.com/done',
      line_items: [{ price: priceId, quantity: 1 }],
      ...(metadata === undefined ? {} : { payment_intent_data: { metadata } }),
    });
    await control(`/checkout/sessions/${session.id}/pay`, {});
  }

  return {
    environment,
    /** For files; deleted by `close`. */
    folder,
    front,
    stripe,
    database,
    sync,
    control,
    price,
    buy,
    customer: (metadata: Record<string, string> = {}) => stripe.customers.create({ metadata }),
    async run(
      input: { mapping?: Mapping; listed?: Record<string, string> } = {},
      { budget = sync.budget, ...options }: RunOptions = {},
    ): Promise<Tally> {
      const deps: ImportDeps = {
        sync: { ...sync, budget },
        projectId: shop,
        isDryRun: false,
        progress: quiet,
        pageSize: longestPage,
        state: newState(),
        save: () => undefined,
        ...options,
      };
      const listed = new Map(Object.entries(input.listed ?? {}));
      await runImport(deps, { mapping: input.mapping ?? null, listed });
      return totalOf(deps.state);
    },
    /** What a user may use now, computed from what is stored. */
    async features(userId: string): Promise<string[]> {
      const found = (await readSources(database, shop, [userId])).get(userId);
      if (found === undefined) return [];
      const context = {
        policy: resolvePolicy(found.policy, 7),
        now: Date.now(),
        renewalAllowanceMs: 24 * hourMs,
      };
      return deriveEntitlements(found.sources, context).entitlements.map((one) => one.featureCode);
    },
    /** All rows that the import may write, to be compared. */
    async contents(): Promise<string> {
      const tables = await Promise.all([
        database.product.findMany({ orderBy: { productId: 'asc' } }),
        database.price.findMany({ orderBy: { priceId: 'asc' } }),
        database.user.findMany({ orderBy: { id: 'asc' } }),
        database.customer.findMany({ orderBy: { stripeCustomerId: 'asc' } }),
        database.subscription.findMany({ orderBy: { id: 'asc' }, include: { items: true } }),
        database.purchase.findMany({ orderBy: { id: 'asc' }, include: { items: true } }),
        database.stripeEvent.findMany(),
      ]);
      return JSON.stringify(tables, (_key, value: unknown) =>
        typeof value === 'bigint' ? String(value) : value,
      );
    },
    async close(): Promise<void> {
      await close();
      await front.stop();
      await stripeServer.close();
      await redis.stop();
      await testDatabase.drop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
