import { requestReconcile } from '@billing/store';
import { waitFor } from '@billing/testing';
import { startTestWorker } from './support/start-test-worker.test-support.ts';
import type { TestWorker } from './support/start-test-worker.test-support.ts';
import { startJourney } from './support/stripe-journey.test-support.ts';

let world: TestWorker;
beforeAll(async () => {
  world = await startTestWorker();
});
afterAll(() => world.close());

async function reconcile(): Promise<void> {
  const scope = { dryRun: false, projectId: null };
  const { runId } = await requestReconcile(world.database, scope, { name: 'tester', requestId: null });
  await waitFor(
    async () => (await world.database.run.findUniqueOrThrow({ where: { id: runId } })).status === 'done',
    { what: 'the run', timeoutMs: 40_000 },
  );
}

it('with reconciles alone the grace does not begin again with each new invoice', async () => {
  const journey = await startJourney(world, 'subscription');
  await journey.map();
  await journey.pay();
  await reconcile();
  const { id } = await journey.subscription();
  await world.control(`/subscriptions/${id}/fail_next_payment`, { after_last_retry: 'past_due' });
  const since = async (): Promise<Date | null> =>
    (await world.database.subscription.findUniqueOrThrow({ where: { id } })).pastDueSince;
  const invoicesSeen = new Set<unknown>();
  const starts: (Date | null)[] = [];
  for (let month = 0; month < 3; month += 1) {
    await world.control('/clock', { advance_seconds: 32 * 86_400 });
    await reconcile();
    const { status, latest_invoice: invoice } = await journey.subscription();
    expect(status).toBe('past_due');
    invoicesSeen.add(invoice);
    starts.push(await since());
  }
  expect(invoicesSeen.size).toBe(3);
  expect(starts[0]).not.toBeNull();
  expect(starts).toEqual([starts[0], starts[0], starts[0]]);
}, 120_000);
