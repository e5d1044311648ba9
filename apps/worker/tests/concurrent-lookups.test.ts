import { isHandledEventType } from '@billing/domain';
import { startTestWorker } from './support/start-test-worker.test-support.ts';
import type { TestWorker } from './support/start-test-worker.test-support.ts';
import { shuffled, startJourney } from './support/stripe-journey.test-support.ts';

let world: TestWorker;
beforeAll(async () => {
  world = await startTestWorker();
});
afterAll(() => world.close());

it('fifty jobs of one subscription end in the state of a Stripe that answers slowly and out of order', async () => {
  const journey = await startJourney(world, 'subscription');
  await journey.map();
  await journey.pay();
  const { id, items } = await journey.subscription();
  const [item] = items.data;
  if (item === undefined) throw new Error('no item');
  const changes = async (count: number): Promise<void> => {
    for (let index = 0; index < count; index += 1) {
      await world.stripe.subscriptions.update(id, { items: [{ id: item.id, quantity: 2 + index }] });
    }
  };
  await changes(12);
  await world.control('/faults', { mode: 'delay', min_ms: 5, max_ms: 300 });
  const events = (await journey.history()).filter((event) => isHandledEventType(event.type));
  const jobs = Array.from({ length: 50 }, (_, index) => events[index % events.length]).filter(
    (event) => event !== undefined,
  );
  expect(jobs).toHaveLength(50);
  const delivered = Promise.all(
    shuffled(jobs).map((event, index) => world.enqueue(event, `${event.id}-${index}`)),
  );
  // Stripe keeps changing it while the lookups are in flight.
  await changes(5);
  await delivered;
  const later = (await journey.history()).filter((event) => isHandledEventType(event.type));
  await Promise.all(shuffled(later).map((event, index) => world.enqueue(event, `${event.id}-late-${index}`)));
  await world.idle(60_000);
  await world.control('/faults', { mode: 'none' });
  const truth = await journey.subscription();
  const row = await world.database.subscription.findUniqueOrThrow({
    where: { id },
    include: { items: true },
  });
  expect(row).toMatchObject({ status: truth.status, confirmed: true, recheckAt: null });
  expect(row.items).toMatchObject([
    { itemId: item.id, quantity: BigInt(truth.items.data[0]?.quantity ?? 0) },
  ]);
  expect(truth.items.data[0]?.quantity).toBe(6);
}, 90_000);
