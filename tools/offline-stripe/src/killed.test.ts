import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { startOffline } from './harness.test-support.ts';

let stateDir: string;
beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), 'offline-stripe-'));
});
afterEach(() => rmSync(stateDir, { recursive: true }));

/** What a process would find that starts in the moment in which this one is killed. */
const afterKill = () => startOffline(stateDir);

test('what was answered is there after a kill, and so is its event', async () => {
  const offline = await startOffline(stateDir);
  const { id } = await offline.stripe.customers.create({ name: 'Ann' }, { idempotencyKey: 'ann' });
  const again = await afterKill();
  expect(await again.stripe.customers.retrieve(id)).toMatchObject({ id, name: 'Ann' });
  const repeated = await again.stripe.customers.create({ name: 'Ann' }, { idempotencyKey: 'ann' });
  expect(repeated.id).toBe(id);
  expect(await again.eventTypes()).toEqual(['customer.created']);
  await again.close();
  await offline.close();
});

test('so is what a control did', async () => {
  const offline = await startOffline(stateDir);
  const { now } = await offline.control('clock', { advance_seconds: 86_400 });
  const again = await afterKill();
  expect((await again.control('clock'))['now']).toBeGreaterThanOrEqual(Number(now));
  await again.close();
  await offline.close();
});
