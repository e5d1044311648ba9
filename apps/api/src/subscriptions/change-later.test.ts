import { daySeconds, startChangeWorld } from './changes.test-support.ts';
import type { ChangeWorld } from './changes.test-support.ts';

let world: ChangeWorld;
let basic: Awaited<ReturnType<ChangeWorld['plan']>>;
let pro: typeof basic;
let yearly: typeof basic;
beforeAll(async () => {
  world = await startChangeWorld();
  basic = await world.plan({ amount: 1_000, group: 'plan', rank: 1 });
  pro = await world.plan({ amount: 3_000, group: 'plan', rank: 2 });
  yearly = await world.plan({ amount: 9_000, group: 'plan', rank: 1, interval: 'year' });
});
afterAll(() => world.close());

const toBasic = () => ({ items: [{ price_id: basic.priceId }] });
const liveOf = (id: string) =>
  world.stripe.subscriptions.retrieve(id, { expand: ['schedule', 'latest_invoice'] });

test('a smaller plan comes at the end of the period, with the discount that there is', async () => {
  const coupon = await world.stripe.coupons.create({ percent_off: 10, duration: 'forever' });
  const { id, userId } = await world.subscribe([pro.stripePriceId], { discounts: [{ coupon: coupon.id }] });
  const end = (await liveOf(id)).items.data[0]?.current_period_end ?? 0;
  const at = new Date(end * 1_000).toISOString();
  const { body: shown } = await world.preview(id, toBasic()).expect(200);
  expect(shown).toMatchObject({ due_now: 0, credit: 0, effective_at: at, next_invoice: { at, amount: 900 } });
  const { body } = await world.change(id, { ...toBasic(), preview_token: shown.preview_token }).expect(200);
  expect(body).toMatchObject({
    items: [{ price_id: pro.priceId }],
    pending_change: { effective_at: at, items: [{ price_id: basic.priceId, quantity: 1 }] },
  });
  // Again: the same schedule.
  await world.change(id, toBasic()).expect(200);
  expect(
    (await world.stripe.subscriptionSchedules.list({})).data.filter((one) => one.subscription === id),
  ).toHaveLength(1);

  await world.offline('clock', { to: end });
  const after = await liveOf(id);
  expect(after).toMatchObject({
    items: { data: [{ price: { id: basic.stripePriceId } }] },
    latest_invoice: { amount_paid: 900 },
  });
  expect(after.discounts).toHaveLength(1);
  await world.sync(id);
  expect((await world.get(id)).body).toMatchObject({
    items: [{ price_id: basic.priceId }],
    pending_change: null,
  });
  expect(await world.features(userId)).toEqual([basic.feature]);
});

test.each<[string, (id: string) => Promise<unknown>]>([
  ['DELETE', (id) => world.drop(id).expect(200)],
  ['asking for what is there', (id) => world.change(id, { items: [{ price_id: pro.priceId }] }).expect(200)],
])('%s gives a later change up', async (_name, giveUp) => {
  const { id } = await world.subscribe([pro.stripePriceId]);
  await world.change(id, toBasic()).expect(200);
  await giveUp(id);
  expect((await world.get(id)).body).toMatchObject({
    items: [{ price_id: pro.priceId }],
    pending_change: null,
  });
  expect((await liveOf(id)).schedule).toBeNull();
  expect((await world.drop(id).expect(409)).body.code).toBe('no_pending_change');
});

test('another later change takes its place; one that is made now drops it', async () => {
  const { id } = await world.subscribe([pro.stripePriceId]);
  await world.change(id, toBasic()).expect(200);
  const { body: other } = await world
    .change(id, { items: [{ price_id: yearly.priceId }], effective: 'period_end' })
    .expect(200);
  expect(other.pending_change.items).toMatchObject([{ price_id: yearly.priceId }]);
  const { body: now } = await world
    .change(id, { items: [{ price_id: pro.priceId, quantity: 2 }] })
    .expect(200);
  expect(now).toMatchObject({ pending_change: null, items: [{ price_id: pro.priceId, quantity: 2 }] });
});

test('another interval at the end of the period bills a whole one then', async () => {
  const { id } = await world.subscribe([pro.stripePriceId]);
  const wanted = { items: [{ price_id: yearly.priceId }] };
  const { body: shown } = await world.preview(id, wanted).expect(200);
  const end = (await liveOf(id)).items.data[0]?.current_period_end ?? 0;
  expect(shown.next_invoice).toEqual({ at: new Date(end * 1_000).toISOString(), amount: 9_000 });
  await world.change(id, wanted).expect(200);
  await world.offline('clock', { to: end });
  expect((await liveOf(id)).latest_invoice).toMatchObject({ amount_paid: 9_000 });
});

test('a trial goes on until it ends', async () => {
  const { id } = await world.subscribe([pro.stripePriceId], { trial_period_days: 14 });
  const { body } = await world.change(id, toBasic()).expect(200);
  expect(body).toMatchObject({ status: 'trialing', pending_change: { effective_at: body.trial_end } });
});

test('a schedule that cannot be planned is taken off again, and nothing is left half done', async () => {
  const { id } = await world.subscribe([pro.stripePriceId]);
  await world.api.fault('500', 2, { path: '/v1/subscription_schedules/sub_sched', methods: ['POST'] });
  const failed = await world.change(id, toBasic(), { 'idempotency-key': `later-${id}` });
  expect(failed.status).toBe(503);
  await world.sync(id);
  expect((await world.get(id)).body.pending_change).toBeNull();
  await world.change(id, toBasic(), { 'idempotency-key': `later-${id}` }).expect(200);
  expect((await liveOf(id)).schedule).not.toBeNull();
  expect((await world.get(id)).body.pending_change).toMatchObject({ items: [{ price_id: basic.priceId }] });
});

test('answers that are lost: the same request finds what Stripe did', async () => {
  const { id } = await world.subscribe([pro.stripePriceId]);
  const key = { 'idempotency-key': `lost-${id}` };
  await world.api.fault('cut', 2, { path: '/v1/subscription_schedules', methods: ['POST'] });
  expect((await world.change(id, toBasic(), key)).status).toBe(503);
  await world.change(id, toBasic(), key).expect(200);
  const own = (await world.stripe.subscriptionSchedules.list({})).data.filter(
    (one) => one.subscription === id,
  );
  expect(own).toHaveLength(1);
  expect(own[0]?.phases).toHaveLength(2);
  await world.offline('clock', { advance_seconds: daySeconds });
});
