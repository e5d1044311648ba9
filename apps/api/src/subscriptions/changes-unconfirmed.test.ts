import { startChangeWorld } from './changes.test-support.ts';
import type { ChangeWorld } from './changes.test-support.ts';

let world: ChangeWorld;
let basic: Awaited<ReturnType<ChangeWorld['plan']>>;
let pro: typeof basic;
beforeAll(async () => {
  world = await startChangeWorld();
  basic = await world.plan({ amount: 1_000, group: 'plan', rank: 1 });
  pro = await world.plan({ amount: 3_000, group: 'plan', rank: 2 });
});
afterAll(() => world.close());

const to = ({ priceId }: typeof basic) => ({ items: [{ price_id: priceId }] });
/** From now on no look-up is made. */
const spendReads = (): Promise<void> => world.api.deps.budget.throttle(60_000);

test('where the subscription cannot be looked up, what was planned or given up is shown, to be confirmed', async () => {
  const { id } = await world.subscribe([pro.stripePriceId]);
  const waiting = await world.subscribe([basic.stripePriceId]);
  await world.declineCard(waiting.customerId, waiting.id);
  await world.change(waiting.id, to(pro)).expect(402);
  expect((await world.get(waiting.id)).body.pending_payment).not.toBeNull();

  await spendReads();
  const { body: later } = await world.change(id, to(basic)).expect(200);
  expect(later).toMatchObject({
    confirmed: false,
    items: [{ price_id: pro.priceId }],
    pending_change: {
      effective_at: later.items[0].current_period_end,
      items: [{ price_id: basic.priceId, quantity: 1 }],
    },
  });
  const { body: kept } = await world.change(id, to(pro)).expect(200);
  expect(kept).toMatchObject({ confirmed: false, pending_change: null });
  await world.change(id, to(basic)).expect(200);
  expect((await world.drop(id).expect(200)).body).toMatchObject({ confirmed: false, pending_change: null });
  const given = (await world.drop(waiting.id).expect(200)).body;
  expect(given).toMatchObject({
    confirmed: false,
    pending_payment: null,
    items: [{ price_id: basic.priceId }],
  });
});
