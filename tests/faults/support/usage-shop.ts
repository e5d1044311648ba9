import { waitFor } from '@billing/testing';
import { z } from 'zod';
import { createApiClient } from './api-client.ts';
import { seenWithin, timeRecovery } from './run-options.ts';
import { openShop, uniqueId } from './shop.ts';
import type { Shop } from './shop.ts';
import type { Stack } from './stack.ts';
import { usageProblems } from './usage-checks.ts';
import { createUsageClient } from './usage-client.ts';
import type { UsageClient } from './usage-client.ts';
import { nothingAcknowledged, useMuch } from './usage-load.ts';
import type { Acknowledged } from './usage-load.ts';

export type UsageShop = Pick<Shop, 'projectId' | 'apiKey' | 'stripePriceId'> & {
  /** Of each of four processes; the last two are never killed. */
  clients: readonly UsageClient[];
  /** A new user with so many calls. */
  userWith: (amount: number) => Promise<string>;
  /** Every process shows the same use within a second. */
  untilShown: (userId: string, used: number) => Promise<unknown>;
  /** Callers at all processes while `fault` runs; then all that was acknowledged is there, once. */
  underLoad: (what: string, fault: (seen: Acknowledged) => Promise<unknown>) => Promise<Acknowledged>;
};

const checked = z.object({ balance: z.object({ used: z.number(), granted: z.number() }) });

/** What a process shows of a user's calls. */
export const shownBy = async (client: UsageClient, userId: string) =>
  checked.parse((await client.check(userId)).body).balance;

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

  async function userWith(amount: number): Promise<string> {
    const userId = uniqueId('u');
    const grant = {
      user_id: userId,
      project_id: shop.projectId,
      feature_code: 'calls',
      reason: 'test',
      amount,
    };
    await unharmed.admin('POST', '/grant', grant);
    return userId;
  }

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

  return { ...shop, clients, userWith, untilShown, underLoad };
}
