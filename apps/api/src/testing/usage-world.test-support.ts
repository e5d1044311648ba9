import { changeUser, publishInvalidations } from '@billing/store';
import { givePrice } from './sources.test-support.ts';
import { startCommerce, uniqueId } from './start-commerce.test-support.ts';

type Project = { projectId: string; apiKey: string };

type Sold = { features: object[]; interval?: 'month' | 'one_time'; accessDays?: number };

type Item = { stripePriceId: string; quantity?: number };

type Subscribed = {
  status?: string;
  start: Date;
  end: Date;
  startDate?: Date;
  trialEnd?: Date;
  pastDueSince?: Date;
};

type Entry = Record<string, unknown>;

type Answer = { entitlements: Entry[]; valid_until: string | null; explanation: Entry[]; cache: string };

export const entryOf = ({ entitlements }: Answer, code: string): Entry | undefined =>
  entitlements.find((one) => one['feature_code'] === code);

export const iso = (at: Date | number): string => new Date(at).toISOString();

/** Whole seconds, as Stripe's. */

export const second = (at: number): Date => new Date(Math.floor(at / 1_000) * 1_000);

export const calls = (fields: object = {}) => ({
  feature_code: 'calls',
  allowance: 1_000,
  period: 'billing',
  ...fields,
});

export type UsageWorld = Awaited<ReturnType<typeof startUsageWorld>>;

/** Two API processes on one state, and what is needed to sell limits and allowances and to see who has them. */
export async function startUsageWorld() {
  const commerce = await startCommerce();
  const other = await startCommerce({}, { database: commerce.database, redis: commerce.redis });
  const now = (): number => commerce.clock.now();

  /** A project whose codes are described: of limits `seats` has a level. */
  async function startProject(): Promise<Project> {
    const project = await commerce.createProject();
    for (const [code, fields] of Object.entries({
      calls: { kind: 'metered' },
      seats: { kind: 'limit', counted: true },
      history: { kind: 'limit' },
    }))
      await commerce
        .admin('post', `/projects/${project.projectId}/features`, { feature_code: code, ...fields })
        .expect(201);
    return project;
  }

  async function sell({ projectId }: Project, { features, ...product }: Sold) {
    const sold = await givePrice(commerce.deps.database, projectId, { featureCodes: ['plain'], ...product });
    await commerce
      .admin('patch', `/projects/${projectId}/products/${sold.productId}`, { features })
      .expect(200);
    return sold;
  }

  async function subscribe(project: Project, items: Item[], columns: Subscribed): Promise<string> {
    const userId = uniqueId('user');
    const { start, end, status = 'active', ...rest } = columns;
    const { pending } = await changeUser(
      commerce.deps.database,
      { ...project, userId },
      async (tx, userRef) => {
        const id = uniqueId('sub');
        await tx.subscription.create({ data: { id, userRef, status, snapshotAt: start, ...rest } });
        for (const { stripePriceId, quantity = 1 } of items)
          await tx.subscriptionItem.create({
            data: {
              subscriptionId: id,
              itemId: uniqueId('si'),
              stripePriceId,
              quantity: BigInt(quantity),
              currentPeriodStart: start,
              currentPeriodEnd: end,
            },
          });
        return { result: undefined, changed: true };
      },
    );
    await publishInvalidations(commerce.deps, pending);
    return userId;
  }

  async function buy(
    project: Project,
    userId: string,
    purchase: { paidAt: Date; item: Item; refunded?: bigint },
  ) {
    const { paidAt, item, refunded = 0n } = purchase;
    const id = uniqueId('pi');
    const { pending } = await changeUser(
      commerce.deps.database,
      { ...project, userId },
      async (tx, userRef) => {
        await tx.purchase.create({
          data: {
            id,
            userRef,
            status: 'paid',
            paidAt,
            sessionId: uniqueId('cs'),
            amount: 1000n,
            amountRefunded: refunded,
          },
        });
        await tx.purchaseItem.create({
          data: { purchaseId: id, stripePriceId: item.stripePriceId, quantity: BigInt(item.quantity ?? 1) },
        });
        return { result: undefined, changed: true };
      },
    );
    await publishInvalidations(commerce.deps, pending);
    return id;
  }

  async function check({ apiKey }: Project, userId: string, by = commerce, query = {}): Promise<Answer> {
    const { body, headers } = await by
      .http()
      .get('/api/v1/entitlements')
      .query({ user_id: userId, ...query })
      .set('authorization', `Bearer ${apiKey}`)
      .expect(200);
    return { ...body, cache: headers['x-cache'] };
  }

  return {
    commerce,
    other,
    startProject,
    sell,
    subscribe,
    buy,
    check,
    now,
    ago: (ms: number): Date => new Date(now() - ms),
    async close(): Promise<void> {
      await other.close();
      await commerce.close();
    },
  };
}
