import { randomBytes } from 'node:crypto';
import { dayMs, hourMs } from '@billing/domain';
import { changeUser, publishInvalidations } from '@billing/store';
import { waitFor } from '@billing/testing';
import { givePrice } from '../testing/sources.test-support.ts';
import { startTestApi } from '../testing/start-test-api.test-support.ts';
import type { TestApi } from '../testing/start-test-api.test-support.ts';

let api: TestApi;
let project: { projectId: string; apiKey: string };
beforeAll(async () => {
  api = await startTestApi();
  project = await api.createProject();
});
afterAll(() => api.close());

/** Columns of a subscription whose period started a day ago and ends in ten. */
type Columns = {
  status: string;
  cancelAt?: Date;
  cancelAtPeriodEnd?: boolean;
  pastDueSince?: Date;
};

async function giveSubscription(userId: string, columns: Columns, periodEnd: Date): Promise<void> {
  const { projectId } = project;
  const { stripePriceId } = await givePrice(api.deps.database, projectId, { featureCodes: ['f'] });
  const { pending } = await changeUser(api.deps.database, { projectId, userId }, async (tx, userRef) => {
    const id = `sub_${randomBytes(6).toString('hex')}`;
    await tx.subscription.create({ data: { id, userRef, snapshotAt: new Date(), ...columns } });
    await tx.subscriptionItem.create({
      data: {
        subscriptionId: id,
        itemId: `si_${id}`,
        stripePriceId,
        quantity: 1n,
        currentPeriodStart: new Date(api.clock.now() - dayMs),
        currentPeriodEnd: periodEnd,
      },
    });
    return { result: undefined, changed: true };
  });
  await publishInvalidations(api.deps, pending);
}

async function givePass(accessDays: number): Promise<string> {
  const product = { featureCodes: ['f'], interval: 'one_time' as const, accessDays };
  return (await givePrice(api.deps.database, project.projectId, product)).stripePriceId;
}

type Pass = { paidAt: Date; stripePriceId: string; quantity?: bigint };

async function givePurchase(userId: string, { paidAt, stripePriceId, quantity = 1n }: Pass): Promise<void> {
  const { projectId } = project;
  const { pending } = await changeUser(api.deps.database, { projectId, userId }, async (tx, userRef) => {
    const id = `pi_${randomBytes(6).toString('hex')}`;
    await tx.purchase.create({ data: { id, userRef, status: 'paid', paidAt, sessionId: `cs_${id}` } });
    await tx.purchaseItem.create({ data: { purchaseId: id, stripePriceId, quantity } });
    return { result: undefined, changed: true };
  });
  await publishInvalidations(api.deps, pending);
}

const check = async (userId: string) => {
  const { body, headers } = await api
    .http()
    .get('/api/v1/entitlements')
    .query({ user_id: userId })
    .set('authorization', `Bearer ${project.apiKey}`);
  return { features: body.entitlements.length, validUntil: body.valid_until, cache: headers['x-cache'] };
};

test('quantity 0 grants nothing', async () => {
  await givePurchase('nobody', {
    paidAt: at(Date.now(), -dayMs),
    stripePriceId: await givePass(3),
    quantity: 0n,
  });
  expect(await check('nobody')).toMatchObject({ features: 0, validUntil: null });
});

const at = (base: number, ms: number): Date => new Date(base + ms);

describe('access ends to the second by the clock, with no event', () => {
  it.each<[string, (userId: string, now: number) => Promise<void>, number]>([
    [
      'a renewal whose event never came, after the allowance',
      (user, now) => giveSubscription(user, { status: 'active' }, at(now, 2 * dayMs)),
      2 * dayMs + 24 * hourMs,
    ],
    [
      'cancel_at',
      (user, now) =>
        giveSubscription(user, { status: 'active', cancelAt: at(now, dayMs) }, at(now, 2 * dayMs)),
      dayMs,
    ],
    [
      'cancel_at_period_end',
      (user, now) => giveSubscription(user, { status: 'active', cancelAtPeriodEnd: true }, at(now, dayMs)),
      dayMs,
    ],
    [
      'the grace of a past_due',
      (user, now) =>
        giveSubscription(user, { status: 'past_due', pastDueSince: at(now, -dayMs) }, at(now, 30 * dayMs)),
      6 * dayMs,
    ],
    [
      'a cancel_at a year ahead, with a renewal whose event never came',
      (user, now) =>
        giveSubscription(user, { status: 'active', cancelAt: at(now, 365 * dayMs) }, at(now, 2 * dayMs)),
      2 * dayMs + 24 * hourMs,
    ],
    [
      'a purchase for some days',
      async (user, now) => givePurchase(user, { paidAt: at(now, -dayMs), stripePriceId: await givePass(3) }),
      2 * dayMs,
    ],
    [
      'two pieces of a pass',
      async (user, now) =>
        givePurchase(user, { paidAt: at(now, -dayMs), stripePriceId: await givePass(3), quantity: 2n }),
      5 * dayMs,
    ],
    [
      'two passes of 30 days, bought on days 0 and 10',
      async (user, now) => {
        const stripePriceId = await givePass(30);
        await givePurchase(user, { paidAt: at(now, -15 * dayMs), stripePriceId });
        await givePurchase(user, { paidAt: at(now, -5 * dayMs), stripePriceId });
      },
      45 * dayMs,
    ],
  ])('%s', async (what, give, lastsMs) => {
    const userId = `user of ${what}`;
    const now = Math.floor(api.clock.now() / 1000) * 1000;
    await give(userId, now);
    const end = now + lastsMs;
    expect(await check(userId)).toMatchObject({ features: 1, validUntil: new Date(end).toISOString() });
    expect(await check(userId)).toMatchObject({ features: 1, cache: 'hit' });
    // Twenty seconds to go: the requests themselves take time.
    api.clock.advance(end - 20_000 - api.clock.now());
    expect(await check(userId)).toMatchObject({ features: 1 });
    // Until the answer is stored, whoever asks joins the read that made it, and this clock jumps.
    await waitFor(async () => (await check(userId)).cache === 'hit', { what: 'the answer to be stored' });
    api.clock.advance(end - api.clock.now());
    expect(await check(userId)).toMatchObject({ features: 0, validUntil: null });
  });
});
