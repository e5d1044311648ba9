import { deriveEntitlements, hourMs, resolvePolicy } from '@billing/domain';
import { createOfflineStripe } from '@billing/offline-stripe';
import { readSources } from '@billing/store';
import { createTestDatabase, startTestRedis, waitFor } from '@billing/testing';
import { connect } from './connect.ts';
import type { ImportDeps } from './import-deps.ts';
import { freshState } from './import-state.ts';
import type { ImportState } from './import-state.ts';
import type { Mapping } from './mapping.ts';
import { runImport } from './run-import.ts';

export const shop = 'shop';

/** An account that is older than the service: sold with Stripe alone, no webhook ever reached us. */
export async function startOldAccount() {
  const offline = createOfflineStripe({ stateDir: null, webhookUrl: null, webhookSecret: 'whsec_unused' });
  const [testDatabase, redis, stripeServer] = await Promise.all([
    createTestDatabase(),
    startTestRedis(),
    offline.listen(0),
  ]);
  const environment = {
    DATABASE_URL: testDatabase.url,
    REDIS_URL: redis.url,
    STRIPE_SECRET_KEY: 'sk_test_import',
    STRIPE_API_BASE: stripeServer.url,
    STRIPE_READS_PER_SECOND: '100',
  };
  const { worker, close } = connect(environment);
  const { stripe, database } = worker;
  await waitFor(() => worker.cache.isAvailable(), { what: 'the cache' });
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
  async function buy(customer: string, priceId: string, more: { mode: 'payment' | 'subscription' }) {
    const session = await stripe.checkout.sessions.create({
      mode: more.mode,
      customer,
      success_url: 'https://app.example.com/done',
      line_items: [{ price: priceId, quantity: 1 }],
    });
    await control(`/checkout/sessions/${session.id}/pay`, {});
  }

  return {
    environment,
    stripe,
    database,
    worker,
    control,
    price,
    buy,
    customer: (metadata: Record<string, string> = {}) => stripe.customers.create({ metadata }),
    async run(
      input: { mapping?: Mapping; listed?: Record<string, string> } = {},
      options: { isDryRun?: boolean; state?: ImportState; save?: () => void; projectId?: string } = {},
    ): Promise<ImportState> {
      const state = options.state ?? freshState('test');
      const quiet = { at: () => undefined, say: () => undefined, end: () => undefined };
      const deps: ImportDeps = {
        worker,
        projectId: options.projectId ?? shop,
        isDryRun: options.isDryRun ?? false,
        progress: quiet,
        state,
        save: options.save ?? (() => undefined),
      };
      const listed = new Map(Object.entries(input.listed ?? {}));
      await runImport(deps, { mapping: input.mapping ?? null, listed });
      return state;
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
      await stripeServer.close();
      await redis.stop();
      await testDatabase.drop();
    },
  };
}
