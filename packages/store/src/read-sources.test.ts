import { createTestDatabase } from '@billing/testing';
import type { TestDatabase } from '@billing/testing';
import { changeUser } from './change-user.ts';
import { createDatabase } from './create-database.ts';
import type { Database } from './create-database.ts';
import { Prisma } from './generated/client.ts';
import { readSources } from './read-sources.ts';

const start = new Date('2026-11-01T00:00:00.000Z');
const end = new Date('2026-12-01T00:00:00.123Z');
const features = { b: { limit: 5, per_unit: true, add_on: false } };

describe('readSources', () => {
  let testDatabase: TestDatabase;
  let database: Database;
  const statements: string[] = [];

  beforeAll(async () => {
    testDatabase = await createTestDatabase();
    database = createDatabase({
      url: testDatabase.url,
      poolSize: 2,
      connectTimeoutMs: 5_000,
      statementTimeoutMs: 5_000,
      observe: (operation) => statements.push(operation),
    });
    for (const id of ['p', 'other']) {
      await database.project.create({ data: { id, name: id, policy: { unpaid: 'allow' } } });
      await database.product.create({
        data: { projectId: id, productId: 'pro', name: 'Pro', featureCodes: ['a', 'b'], features },
      });
      const price = { projectId: id, productId: 'pro', amount: 1n, currency: 'usd' };
      await database.price.create({
        data: { ...price, priceId: 'month', stripePriceId: `price_${id}`, interval: 'month' },
      });
      await database.price.create({
        data: {
          ...price,
          priceId: 'once',
          stripePriceId: `price_once_${id}`,
          interval: 'one_time',
          accessDays: 30,
        },
      });
    }
    const described = { counted: true, thresholds: [80, 100] };
    await database.feature.createMany({
      data: [
        { projectId: 'p', featureCode: 'a', kind: 'boolean' },
        { projectId: 'p', featureCode: 'b', kind: 'limit', ...described },
        { projectId: 'p', featureCode: 'x', kind: 'metered' },
        { projectId: 'other', featureCode: 'y', kind: 'metered' },
      ],
    });
    await fill();
  });
  afterAll(async () => {
    await database.$disconnect();
    await testDatabase.drop();
  });

  async function fill(): Promise<void> {
    const when = { created: start, receivedAt: start };
    await database.stripeEvent.create({
      data: {
        eventId: 'evt_1',
        type: 'customer.subscription.updated',
        status: 'applied',
        payload: {},
        ...when,
      },
    });
    await changeUser(database, { projectId: 'p', userId: 'u' }, async (tx, userRef) => {
      await tx.subscription.create({
        data: {
          id: 'sub_1',
          userRef,
          status: 'past_due',
          pastDueSince: start,
          snapshotEventId: 'evt_1',
          startDate: start,
        },
      });
      const item = { subscriptionId: 'sub_1', currentPeriodStart: start, currentPeriodEnd: end };
      const firstPeriodStart = new Date(start.getTime() - 1);
      await tx.subscriptionItem.create({
        data: { ...item, itemId: 'si_1', stripePriceId: 'price_p', quantity: 3n, firstPeriodStart },
      });
      await tx.subscriptionItem.create({
        data: { ...item, itemId: 'si_2', stripePriceId: 'price_other', quantity: 1n },
      });
      await tx.purchase.create({
        data: { id: 'pi_1', userRef, status: 'paid', paidAt: start, amount: 1000n, amountRefunded: 10n },
      });
      await tx.purchaseItem.create({
        data: { purchaseId: 'pi_1', stripePriceId: 'price_once_p', quantity: 9_007_199_254_740n },
      });
      const grant = {
        userRef,
        featureCode: 'x',
        validFrom: start,
        validTo: end,
        reason: 'r',
        grantedBy: 'a',
      };
      await tx.grant.create({ data: { ...grant, id: 'g' } });
      await tx.grant.create({ data: { ...grant, id: 'g_some', amount: 1_000_000_000_000n } });
      await tx.grant.create({ data: { ...grant, id: 'g_unlimited', isUnlimited: true } });
      return { result: undefined, changed: true };
    });
  }

  it('reads everything of a user, with what the project sells, in one statement', async () => {
    statements.length = 0;
    const read = await readSources(database, 'p', ['u']);
    const grant = {
      featureCode: 'x',
      validFrom: start.getTime(),
      validTo: end.getTime(),
      revokedAt: null,
    };
    expect(statements).toEqual(['with']);
    expect(read.get('u')).toEqual({
      userId: 'u',
      isKnown: true,
      duplicates: {},
      userRef: expect.any(Number),
      userVersion: 1,
      projectVersion: 1,
      policy: { unpaid: 'allow' },
      // Of this project, and none that is boolean.
      features: {
        b: { kind: 'limit', counted: true, thresholds: [80, 100] },
        x: { kind: 'metered', counted: false, thresholds: [] },
      },
      sources: {
        subscriptions: [
          {
            id: 'sub_1',
            status: 'past_due',
            cancelAt: null,
            cancelAtPeriodEnd: false,
            endedAt: null,
            trialEnd: null,
            startDate: start.getTime(),
            collectionPaused: false,
            pastDueSince: start.getTime(),
            reversedPayments: [],
            confirmed: true,
            // Not looked up where access does not depend on it.
            ownerSource: null,
            lastEvent: null,
            items: [
              {
                itemId: 'si_1',
                stripePriceId: 'price_p',
                quantity: 3,
                currentPeriodStart: start.getTime(),
                currentPeriodEnd: end.getTime(),
                firstPeriodStart: start.getTime() - 1,
                productId: 'pro',
                group: null,
                featureCodes: ['a', 'b'],
                features,
              },
              // The item of another project's catalog is not shown.
            ],
          },
        ],
        purchases: [
          {
            id: 'pi_1',
            status: 'paid',
            paidAt: start.getTime(),
            payment: { amount: 1000, amountRefunded: 10, disputeStatus: null },
            confirmed: true,
            ownerSource: null,
            lastEvent: null,
            items: [
              {
                stripePriceId: 'price_once_p',
                quantity: 9_007_199_254_740,
                productId: 'pro',
                group: null,
                featureCodes: ['a', 'b'],
                features,
                accessDays: 30,
              },
            ],
          },
        ],
        grants: [
          { ...grant, id: 'g' },
          { ...grant, id: 'g_some', amount: 1_000_000_000_000 },
          { ...grant, id: 'g_unlimited', amount: null },
        ],
      },
    });
  });

  it('reads the last event for an explanation only, so that a check never touches the ledger', async () => {
    const read = await readSources(database, 'p', ['u'], { isExplained: true });
    expect(read.get('u')?.sources.subscriptions).toMatchObject([
      {
        id: 'sub_1',
        ownerSource: 'buyer_hint',
        lastEvent: { event_id: 'evt_1', type: 'customer.subscription.updated', created: start.getTime() },
      },
    ]);
    const texts: string[] = [];
    const query = {
      $queryJson: <T>(statement: { text: string }): Promise<T> => (
        texts.push(statement.text),
        database.$queryJson<T>(Prisma.sql`SELECT '{"users":[],"features":null}'::json`)
      ),
    };
    await readSources(query, 'p', ['u']);
    await readSources(query, 'p', ['u', 'v']);
    await readSources(query, 'p', ['u'], { isExplained: true });
    expect(texts.map((text) => text.includes('stripe_events'))).toEqual([false, false, true]);
  });

  it('reads one user as it reads many', async () => {
    const many = await readSources(database, 'p', ['u', 'nobody']);
    for (const userId of ['u', 'nobody'])
      expect((await readSources(database, 'p', [userId])).get(userId)).toEqual(many.get(userId));
  });

  it('answers for all that were asked, each once, known or not', async () => {
    const read = await readSources(database, 'p', ['nobody', 'u', 'nobody', 'U']);
    expect([...read.keys()].sort()).toEqual(['U', 'nobody', 'u']);
    expect(read.get('nobody')).toMatchObject({ isKnown: false, userVersion: 0, projectVersion: 1 });
    expect(read.get('U')?.sources).toEqual({ subscriptions: [], purchases: [], grants: [] });
  });

  it('tells ids apart that look alike, and takes what SQL would mind', async () => {
    const ids = ['é', 'e\u0301', `'; DROP TABLE users; --`, '{a,b}', '"', '\\', '😀', 'x'.repeat(256)];
    const read = await readSources(database, 'p', ids);
    expect([...read.keys()].sort()).toEqual([...ids].sort());
  });

  it('shows nothing of a user of the same name elsewhere, and nothing for no project', async () => {
    expect((await readSources(database, 'other', ['u'])).get('u')?.isKnown).toBe(false);
    expect((await readSources(database, 'nowhere', ['u'])).size).toBe(0);
  });
});
