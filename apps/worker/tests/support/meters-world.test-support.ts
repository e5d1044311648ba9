import { PassThrough } from 'node:stream';
import { hourMs, toTimestamp, toUseCommand, usageEventRequest } from '@billing/domain';
import type { UsageEventRequest } from '@billing/domain';
import { connectRedis, createLogger, createMetrics } from '@billing/platform';
import { createEntitlementCache, createUsage } from '@billing/store';
import { waitFor } from '@billing/testing';
import { startTestWorker, uniqueId } from './start-test-worker.test-support.ts';

export const eventName = 'calls';

/**
 * A worker that reports at once, a meter at Stripe, the metered feature `calls` that is reported to it, and usage that is
 * recorded as the API does it, in another process's place.
 */
export async function startMeters({
  env = {},
  isStarted = true,
}: { env?: Record<string, string>; isStarted?: boolean } = {}) {
  const world = await startTestWorker({
    isStarted,
    env: { STRIPE_METER_DELAY_SECONDS: '0', STRIPE_METER_EVENTS_PER_SECOND: '500', ...env },
  });
  const meter = await world.stripe.billing.meters.create({
    display_name: 'Calls',
    event_name: eventName,
    default_aggregation: { formula: 'sum' },
  });
  const { database, clock, config } = world;
  await database.feature.create({
    data: {
      projectId: 'shop',
      featureCode: 'calls',
      kind: 'metered',
      stripeMeter: { event_name: eventName, report: 'all' },
    },
  });
  const logger = createLogger({
    service: 'test',
    level: 'error',
    format: 'json',
    destination: new PassThrough().resume(),
  });
  const redis = connectRedis({ url: world.redis.url, role: 'cache', logger, keyPrefix: config.cachePrefix });
  const now = (): number => Date.now() + clock.offsetMs;
  const cache = createEntitlementCache({ redis, database, clock: now, logger, ttlSeconds: 300 });
  const metrics = createMetrics({ service: 'test', withProcessMetrics: false });
  const usage = createUsage({ database, clock: now, settings: config.usage, cache, metrics, logger });

  async function record(
    userId: string,
    { timestamp, ...fields }: Partial<UsageEventRequest> = {},
  ): Promise<string> {
    const id = uniqueId('event');
    const request = usageEventRequest.parse({
      user_id: userId,
      feature_code: 'calls',
      event_id: id,
      mode: 'record',
      ...fields,
      ...(timestamp === undefined ? {} : { timestamp: toTimestamp(timestamp) }),
    });
    const result = await usage.committer.submit(
      { projectId: 'shop', userId, featureCode: 'calls', command: toUseCommand(request) },
      { endsAt: performance.now() + 10_000 },
    );
    if (result.kind !== 'event') throw new Error(`not recorded: ${JSON.stringify(result)}`);
    return id;
  }

  /** What the meter counted of a customer, from a moment until before another. */
  async function countedAtStripe(customer: string, from: number, to: number): Promise<number> {
    const minute = (at: number): number => Math.floor(at / 60_000) * 60;
    const { data } = await world.stripe.billing.meters.listEventSummaries(meter.id, {
      customer,
      start_time: minute(from),
      end_time: minute(to),
    });
    return data[0]?.aggregated_value ?? 0;
  }

  return {
    ...world,
    meter,
    now,
    record,
    countedAtStripe,
    /** The beginning of an hour that is over. */
    pastHour: (ago: number): number => (Math.floor(now() / hourMs) - ago) * hourMs,
    /** A user whom a customer of Stripe is mapped to, or not yet. */
    async startUser({ isMapped = true } = {}) {
      const userId = uniqueId('user');
      const customer = await world.stripe.customers.create({});
      const user = await database.user.create({ data: { projectId: 'shop', userId } });
      const map = async (): Promise<void> => {
        await database.customer.create({
          data: { stripeCustomerId: customer.id, userRef: user.id, source: 'checkout' },
        });
      };
      if (isMapped) await map();
      return { userId, userRef: user.id, customer: customer.id, map };
    },
    /** A subscription of the user that began 30 days before `bound`; its paid period begins or ends there. */
    async subscribe(
      { userId, userRef, customer }: { userId: string; userRef: bigint; customer: string },
      bound: Date,
      period: 'begins' | 'ends',
    ): Promise<void> {
      const monthMs = 30 * 24 * hourMs;
      const startDate = new Date(bound.getTime() - monthMs);
      const [currentPeriodStart, currentPeriodEnd] =
        period === 'ends' ? [startDate, bound] : [bound, new Date(bound.getTime() + monthMs)];
      const item = { itemId: 'si_1', stripePriceId: 'price_sub', quantity: 1n };
      await database.subscription.create({
        data: {
          id: `sub_${userId}`,
          userRef,
          stripeCustomerId: customer,
          status: 'active',
          startDate,
          items: { create: { ...item, currentPeriodStart, currentPeriodEnd } },
        },
      });
    },
    /** What Stripe counted of a customer by the time that it is as expected, or for long not. */
    async waitForCount(customer: string, expected: number, timeoutMs = 40_000): Promise<number> {
      const count = () => countedAtStripe(customer, now() - 34 * 24 * hourMs, now() + hourMs);
      await waitFor(async () => (await count()) === expected, {
        what: `${expected} at Stripe`,
        timeoutMs,
      }).catch(() => undefined);
      return count();
    },
    reports: (userId: string) =>
      database.usageMeterReport.findMany({
        where: { userId },
        orderBy: [{ hour: 'asc' }, { sequence: 'asc' }],
      }),
    metric: async (pattern: RegExp): Promise<string | undefined> => {
      const response = await fetch(`http://127.0.0.1:${world.worker().port}/metrics`);
      return pattern.exec(await response.text())?.[1];
    },
    close: async (): Promise<void> => {
      await world.close();
      redis.disconnect();
    },
  };
}

export type TestMeters = Awaited<ReturnType<typeof startMeters>>;
