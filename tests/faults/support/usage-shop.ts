import { waitFor } from '@billing/testing';
import { z } from 'zod';
import { createApiClient } from './api-client.ts';
import type { ApiClient } from './api-client.ts';
import { seenWithin, timeRecovery } from './run-options.ts';
import { openShop, uniqueId } from './shop.ts';
import type { Shop } from './shop.ts';
import type { Stack } from './stack.ts';
import { usageProblems } from './usage-checks.ts';
import { createUsageClient } from './usage-client.ts';
import type { UsageClient } from './usage-client.ts';
import type { Given } from './usage-commands.ts';
import { nothingAcknowledged, useMuch } from './usage-load.ts';
import type { Acknowledged } from './usage-load.ts';

export type UsageShop = Pick<Shop, 'projectId' | 'apiKey' | 'stripePriceId'> & {
  /** Of each of four processes; the last two are never killed. */
  clients: readonly UsageClient[];
  /** A new user with so many calls. */
  userWith: (amount: number) => Promise<string>;
  /** What users of the model have: a grant, or a subscription that allows some overage. */
  offers: Given['offers'];
  /** Every process shows the same use within a second. */
  untilShown: (userId: string, used: number) => Promise<unknown>;
  /** Callers at all processes while `fault` runs; then all that was acknowledged is there, once. */
  underLoad: (what: string, fault: (seen: Acknowledged) => Promise<unknown>) => Promise<Acknowledged>;
};

const checked = z.object({ balance: z.object({ used: z.number(), granted: z.number() }) });

const mayBeNone = z.object({ balance: z.object({ granted: z.number() }).nullable() });
const grantedBy = async (client: UsageClient, userId: string): Promise<number> =>
  mayBeNone.parse((await client.check(userId)).body).balance?.granted ?? 0;

/** What a process shows of a user's calls. */
export const shownBy = async (client: UsageClient, userId: string) =>
  checked.parse((await client.check(userId)).body).balance;

const grantOut = z.object({ grant_id: z.string() });
const perUnit = 25;
const overageLimit = 10;

/** A product whose allowance is for each unit that was bought, and allows some overage. Returns its price in Stripe. */
async function sellUnits({ stripeApi }: Stack, { admin }: ApiClient, projectId: string): Promise<string> {
  const project = `/projects/${projectId}`;
  const money = { currency: 'usd', interval: 'month' } as const;
  const { id } = await stripeApi.prices.create({
    currency: money.currency,
    unit_amount: 900,
    recurring: { interval: money.interval },
    product_data: { name: 'Units' },
  });
  const settings = { allowance: perUnit, period: 'billing', per_unit: true, overage: 'allow' };
  const features = [{ feature_code: 'calls', ...settings, overage_limit: overageLimit }];
  await admin('POST', `${project}/products`, { product_id: 'units', name: 'Units', features });
  const price = {
    price_id: 'units_monthly',
    product_id: 'units',
    stripe_price_id: id,
    amount: 900,
    ...money,
  };
  await admin('POST', `${project}/prices`, price);
  return id;
}

/** Four API processes, and a project whose subscribers have 30 calls a period. */
export async function openUsageShop(stack: Stack): Promise<UsageShop> {
  const added = await Promise.all([stack.addApi('api'), stack.addApi('api')]);
  const urls = [...stack.apis, ...added].map(({ url }) => url);
  const unharmed = createApiClient(added[0].url);
  const shop = await openShop(stack);
  const project = `/projects/${shop.projectId}`;
  await unharmed.admin('POST', `${project}/features`, { feature_code: 'calls', kind: 'metered' });
  const features = [{ feature_code: 'calls', allowance: 30, period: 'billing' }];
  await unharmed.admin('PATCH', `${project}/products/pro`, { features });
  const clients = urls.map((url) => createUsageClient(url, shop.apiKey));

  const units = await sellUnits(stack, unharmed, shop.projectId);

  async function grant(userId: string, amount: number): Promise<string> {
    const of = { user_id: userId, project_id: shop.projectId, feature_code: 'calls', reason: 'test' };
    return grantOut.parse(await unharmed.admin('POST', '/grant', { ...of, amount })).grant_id;
  }

  async function userWith(amount: number): Promise<string> {
    const userId = uniqueId('u');
    await grant(userId, amount);
    return userId;
  }

  /** Both processes of the model know what is granted. */
  const untilGranted = (userId: string, granted: number): Promise<unknown> =>
    Promise.all(
      clients.slice(0, 2).map((client) =>
        waitFor(async () => granted === (await grantedBy(client, userId)), {
          what: `${granted} granted`,
          timeoutMs: 20_000,
          intervalMs: 20,
        }),
      ),
    );

  const granted: UsageShop['offers'][number] = async () => {
    const amount = 50;
    const userId = uniqueId('u');
    let id = await grant(userId, amount);
    const revoke = async (): Promise<void> => {
      await unharmed.admin('POST', '/revoke', { grant_id: id, revoke_reason: 'test' });
      await untilGranted(userId, 0);
    };
    const grantAgain = async (): Promise<number> => {
      id = await grant(userId, amount);
      await untilGranted(userId, amount);
      return amount;
    };
    await untilGranted(userId, amount);
    return { userId, granted: amount, overageLimit: 0, offer: { kind: 'grant', revoke, grantAgain } };
  };

  const subscribed: UsageShop['offers'][number] = async () => {
    const userId = uniqueId('u');
    const metadata = { user_id: userId, project_id: shop.projectId };
    const customer = await stack.stripeApi.customers.create({ metadata });
    const { id, items } = await stack.stripeApi.subscriptions.create({
      customer: customer.id,
      items: [{ price: units, quantity: 2 }],
      metadata,
    });
    const resize = async (quantity: number): Promise<number> => {
      const item = { id: items.data[0]?.id ?? '', quantity };
      await stack.stripeApi.subscriptions.update(id, { items: [item] });
      await untilGranted(userId, perUnit * quantity);
      return perUnit * quantity;
    };
    await untilGranted(userId, 2 * perUnit);
    return { userId, granted: 2 * perUnit, overageLimit, offer: { kind: 'subscription', resize } };
  };

  const untilShown = (userId: string, used: number): Promise<unknown> =>
    Promise.all(
      clients.map((client) =>
        waitFor(async () => (await shownBy(client, userId)).used === used, {
          what: `${used} at every process`,
          timeoutMs: seenWithin(1_000),
        }),
      ),
    );

  async function usedOf(userId: string): Promise<number> {
    const { rows } = await stack.database.pool.query<{ used: string }>(
      'SELECT coalesce(sum(quantity), 0) AS used FROM public.usage_events WHERE user_id = $1',
      [userId],
    );
    return Number(rows[0]?.used);
  }

  async function underLoad(
    what: string,
    fault: (seen: Acknowledged) => Promise<unknown>,
  ): Promise<Acknowledged> {
    const seen = nothingAcknowledged();
    const scarce = await userWith(40);
    const userIds = [await userWith(1_000_000), await userWith(1_000_000), scarce];
    const load = useMuch({ shop, urls, userIds, seen }, 12);
    try {
      await fault(seen);
    } finally {
      await Promise.all([...stack.apis, ...stack.workers].map((process) => process.untilReady(60_000)));
      await load.stop();
    }
    await timeRecovery({ fault: what, recovered: 'its end; all usage that was answered is there once' }, () =>
      waitFor(
        async () => {
          const problems = await usageProblems(stack, seen);
          if (problems.length > 0)
            throw new Error(`${problems.length} problems: ${problems.slice(0, 3).join(', ')}`);
          return true;
        },
        { what: 'every acknowledged event', timeoutMs: 20_000, intervalMs: 250 },
      ),
    );
    const { rows } = await stack.database.pool.query<{ taken: string }>(
      `SELECT sum(quantity) AS taken FROM public.usage_events WHERE user_id = $1 AND mode = 'enforce'`,
      [scarce],
    );
    expect(Number(rows[0]?.taken)).toBeLessThanOrEqual(40);
    for (const userId of userIds) await untilShown(userId, await usedOf(userId));
    expect(seen.taken.size).toBeGreaterThan(0);
    return seen;
  }

  return { ...shop, clients, userWith, offers: [granted, subscribed], untilShown, underLoad };
}
