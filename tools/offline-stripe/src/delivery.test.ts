import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { seed, startOffline, startReceiver, subscribe, until } from './harness.test-support.ts';

test('an event that is refused is delivered again, signed anew, until it is accepted', async () => {
  const offline = await startOffline();
  offline.receiver.answers = [500, 404];
  const customer = await offline.stripe.customers.create({ name: 'retry me' });
  const [event] = (await offline.stripe.events.list()).data;
  expect(event).toMatchObject({ type: 'customer.created', pending_webhooks: 1 });
  await until(() => offline.receiver.events.length === 1, 'the event was taken');
  expect(offline.receiver.events[0]?.data.object).toMatchObject({ id: customer.id });
  expect(offline.receiver.badSignatures).toBe(0);
  await until(
    async () => (await offline.stripe.events.retrieve(event?.id ?? '')).pending_webhooks === 0,
    'the event counts as delivered',
  );
  expect((await offline.stripe.events.list({ delivery_success: true })).data).toHaveLength(1);
  expect((await offline.stripe.events.list({ delivery_success: false })).data).toHaveLength(0);
  await offline.close();
}, 20_000);

test('with deliveries off, events are listed only; a resend delivers one of them', async () => {
  const offline = await startOffline();
  await offline.control('webhooks', { enabled: false });
  await offline.stripe.customers.create({ name: 'unseen' });
  await offline.control('webhooks', { enabled: true });
  await offline.stripe.customers.create({ name: 'seen' });
  await until(() => offline.receiver.events.length === 1, 'the later event arrived');
  expect(offline.receiver.events[0]?.data.object).toMatchObject({ name: 'seen' });
  const [missed] = (await offline.stripe.events.list({ delivery_success: false })).data;
  expect(missed?.data.object).toMatchObject({ name: 'unseen' });
  await offline.control(`events/${missed?.id ?? ''}/resend`, {});
  await until(() => offline.receiver.events.length === 2, 'the resent event arrived');
  expect(offline.receiver.events[1]?.id).toBe(missed?.id);
  await offline.close();
});

test('objects, clock, keys and undelivered events outlive a restart', async () => {
  const stateDir = mkdtempSync(join(tmpdir(), 'offline-stripe-'));
  const receiver = await startReceiver();
  const first = await startOffline(stateDir, receiver);
  const catalog = await seed(first.stripe);
  const subscription = await subscribe(first, catalog);
  await first.advance(3_600);
  const types = await first.eventTypes();
  await until(() => receiver.events.length === types.length, 'all were delivered');
  receiver.answers = Array.from({ length: 20 }, () => 503);
  const late = await first.stripe.customers.create({ name: 'late' }, { idempotencyKey: 'kept' });
  await until(() => receiver.answers.length < 20, 'one attempt was refused');
  const { now } = await first.control('clock');
  await first.stop();

  receiver.answers = [];
  const second = await startOffline(stateDir, receiver);
  expect(Number((await second.control('clock'))['now'])).toBeGreaterThanOrEqual(Number(now));
  expect(await second.stripe.subscriptions.retrieve(subscription.id)).toMatchObject({ status: 'active' });
  expect(await second.eventTypes()).toEqual([...types, 'customer.created']);
  const again = await second.stripe.customers.create({ name: 'late' }, { idempotencyKey: 'kept' });
  expect(again.id).toBe(late.id);
  await until(
    () => receiver.events.length === types.length + 1,
    'the pending event arrived after the restart',
  );
  await second.advance(32 * 86_400);
  const invoices = await second.stripe.invoices.list({ subscription: subscription.id });
  expect(invoices.data).toHaveLength(2);
  await second.close();
  rmSync(stateDir, { recursive: true });
}, 20_000);
