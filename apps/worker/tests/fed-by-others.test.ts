import { usageJob } from '@billing/domain';
import { stripeEvent, subscriptionObject } from '@billing/testing';
import { startTestWorker, uniqueId } from './support/start-test-worker.test-support.ts';
import type { TestWorker } from './support/start-test-worker.test-support.ts';

let world: TestWorker;
beforeAll(async () => {
  world = await startTestWorker();
});
afterAll(() => world.close());

/** A minute ago, as programs in other languages write it. */
const at = Math.floor(Date.now() / 1000) * 1000 - 60_000;
const written = (more: string, hours = 0): string =>
  new Date(at + hours * 3_600_000).toISOString().replace('.000Z', more);

const moments: [string, string][] = [
  ['UTC', written('Z')],
  ['an offset of nothing', written('+00:00')],
  ['microseconds', written('.000000+00:00')],
  ['an offset to the east', written('+02:00', 2)],
  ['an offset to the west', written('.000-08:00', -8)],
  ['small letters', written('.000Z').toLowerCase()],
];

test.each(moments)(
  'a job whose received_at has %s is applied, and its moment kept',
  async (_what, received_at) => {
    const event = stripeEvent({
      type: 'customer.subscription.updated',
      object: subscriptionObject({ id: uniqueId('sub') }),
    });
    await world.queue.add(
      { name: event.type, data: { event, received_at }, jobId: event.id },
      { deadlineMs: 5_000 },
    );
    await world.idle();
    expect(await world.outcomeOf(event)).toBe('applied');
    const row = await world.database.stripeEvent.findUniqueOrThrow({ where: { eventId: event.id } });
    expect(row.receivedAt.getTime()).toBe(at);
  },
);

test.each(moments)('so is usage with %s', (_what, received_at) => {
  const request = { user_id: 'ann', feature_code: 'calls', quantity: 1, event_id: 'e', mode: 'record' };
  expect(usageJob.parse({ project_id: 'shop', request, received_at }).received_at).toBe(at);
});
