import { changeUser, createGrant, patchProduct, publishInvalidations, startTelling } from '@billing/store';
import type { Database } from '@billing/store';
import { waitFor } from '@billing/testing';
import { z } from 'zod';
import { startTestWorker, uniqueId } from './start-test-worker.test-support.ts';

const actor = { name: 'test', requestId: null };

const dayMs = 86_400_000;

const changedMessage = z.object({
  type: z.literal('entitlements.changed'),
  truncated: z.literal(true).optional(),
  timestamp: z.string(),
  data: z.object({
    project_id: z.string(),
    user_id: z.string(),
    version: z.number(),
    previous_version: z.number().nullable(),
    causes: z.array(z.string()).optional(),
    changes: z.array(z.object({ feature_code: z.string(), change: z.string() })).optional(),
    entitlements: z.array(z.looseObject({ feature_code: z.string() })).optional(),
    as_of: z.string().optional(),
    valid_until: z.string().nullable().optional(),
  }),
});
export type ToldMessage = z.output<typeof changedMessage>;

export type TellingWorld = Awaited<ReturnType<typeof startTellingWorld>>;

type EndpointParts = {
  eventTypes?: string[];
  payload?: 'full' | 'thin';
  delivery?: 'latest' | 'every';
  isEnabled?: boolean;
};

/** An endpoint, and what follows for its project, in one transaction. */
export async function addEndpoint(
  database: Database,
  projectId: string,
  { eventTypes = ['*'], payload = 'full', delivery = 'latest', isEnabled = true }: EndpointParts = {},
): Promise<string> {
  const id = uniqueId('whe');
  const disabledReason = isEnabled ? null : 'by_operator';
  const parts = { eventTypes, payload, delivery, isEnabled, disabledReason };
  await database.$transaction(async (tx) => {
    await tx.webhookEndpoint.create({
      data: { id, projectId, url: 'https://example.com/', keyId: 'none', ...parts },
    });
    await startTelling(tx, projectId);
  });
  return id;
}

/** The real worker, and projects that tell changes. */
export async function startTellingWorld(options: Parameters<typeof startTestWorker>[0] = {}) {
  const world = await startTestWorker(options);
  const { database } = world;

  /** What was told of a user, in order. */
  async function told(projectId: string, userId: string): Promise<ToldMessage[]> {
    const rows = await database.webhookMessage.findMany({
      where: { projectId, userId, type: 'entitlements.changed' },
      orderBy: [{ createdAt: 'asc' }, { version: 'asc' }],
    });
    return rows.map((row) => changedMessage.parse(JSON.parse(row.full)));
  }

  const baseLineEnds = (projectId: string): Promise<unknown> =>
    waitFor(
      async () => (await database.webhookFanOut.count({ where: { projectId, kind: 'base_line' } })) === 0,
      { what: 'the base line' },
    );

  return {
    ...world,
    told,
    baseLineEnds,
    newProject: async (id = uniqueId('project')): Promise<string> => {
      await database.project.create({ data: { id, name: id } });
      return id;
    },
    /** A user's messages once there are so many. */
    toldOnce: (projectId: string, userId: string, count: number): Promise<ToldMessage[]> =>
      waitFor(
        async () => {
          const messages = await told(projectId, userId);
          return messages.length >= count && messages;
        },
        { what: `${count} messages about ${userId}` },
      ),
    /** Everything that waits is told. */
    allTold: (): Promise<unknown> =>
      waitFor(async () => (await database.webhookMark.count()) === 0, { what: 'no mark to be left' }),
    grant: async (
      projectId: string,
      userId: string,
      parts: { featureCode: string; validFrom?: number; validTo?: number },
    ): Promise<string> => {
      const { featureCode, validFrom, validTo } = parts;
      const { result, pending } = await createGrant(
        database,
        {
          project_id: projectId,
          user_id: userId,
          feature_code: featureCode,
          valid_from: validFrom,
          valid_to: validTo,
          reason: 'test',
          dry_run: false,
        },
        { actor, now: Date.now() + world.clock.offsetMs },
      );
      await publishInvalidations(world.worker().deps, pending);
      return result.id;
    },
    /** A product that gives features, with a price. */
    sell: async (projectId: string, featureCodes: string[]) => {
      const productId = uniqueId('product');
      const stripePriceId = uniqueId('price');
      await database.product.create({ data: { projectId, productId, name: productId, featureCodes } });
      const price = { projectId, priceId: uniqueId('our'), productId, stripePriceId, amount: 100n };
      await database.price.create({ data: { ...price, currency: 'usd', interval: 'month', verifyAt: null } });
      return { productId, stripePriceId };
    },
    /** Changes what a product gives. */
    setFeatures: async (projectId: string, productId: string, featureCodes: string[]): Promise<void> => {
      const { pending } = await patchProduct(database, {
        key: { projectId, productId },
        patch: { feature_codes: featureCodes, dry_run: false },
        actor,
      });
      await publishInvalidations(world.worker().deps, pending);
    },
    subscribe: async (
      projectId: string,
      userId: string,
      { stripePriceId, cancelAt }: { stripePriceId: string; cancelAt?: number },
    ): Promise<void> => {
      const id = uniqueId('sub');
      const period = { currentPeriodStart: new Date(), currentPeriodEnd: new Date(Date.now() + 30 * dayMs) };
      const ends = cancelAt === undefined ? {} : { cancelAt: new Date(cancelAt) };
      await changeUser(database, { projectId, userId }, async (tx, userRef) => {
        await tx.subscription.create({
          data: { id, userRef, status: 'active', snapshotAt: new Date(), ...ends },
        });
        await tx.subscriptionItem.create({
          data: { subscriptionId: id, itemId: `si_${id}`, stripePriceId, quantity: 1n, ...period },
        });
        return { result: undefined, changed: true };
      });
    },
    actor,
  };
}
