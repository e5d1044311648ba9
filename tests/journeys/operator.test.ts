import { runBilling } from '@billing/cli';
import { waitFor } from '@billing/testing';
import { testAdmin } from '../../apps/api/src/testing/start-test-api.test-support.ts';
import { uniqueId } from '../../apps/api/src/testing/start-commerce.test-support.ts';
import { startWholeSystem } from './whole-system.test-support.ts';
import type { WholeSystem } from './whole-system.test-support.ts';

let system: WholeSystem;
beforeAll(async () => {
  system = await startWholeSystem();
});
afterAll(() => system.close());

/** The operator's command line on the whole system. */
async function billing(...args: string[]) {
  const printed: string[] = [];
  const notes: string[] = [];
  const code = await runBilling(args, {
    print: (text) => printed.push(text),
    say: (text) => notes.push(text),
    ask: () => Promise.resolve(null),
    env: { BILLING_URL: system.url, BILLING_ADMIN_KEY: testAdmin.secret },
    stackPath: '/nowhere',
  });
  return { code, out: printed.join('\n'), notes: notes.join('\n') };
}

/** A user who bought something; `isDelivered`: the webhooks arrived. */
async function buyer({ isDelivered }: { isDelivered: boolean }) {
  const { projectId, apiKey } = await system.createProject();
  const price = await system.sell(projectId);
  const userId = uniqueId('user');
  const { body } = await system
    .checkout(apiKey, system.order(price.priceId, { user_id: userId }))
    .expect(200);
  const sessionId: string = body.session_id;
  await system.control('/webhooks', { enabled: isDelivered });
  await system.pay(sessionId);
  await system.control('/webhooks', { enabled: true });
  if (isDelivered) await system.awaitFeatures(apiKey, userId, ['premium']);
  const { subscription } = await system.stripe.checkout.sessions.retrieve(sessionId);
  const subscriptionId = typeof subscription === 'string' ? subscription : '';
  return { projectId, apiKey, userId, subscriptionId };
}

test('reconcile shows what differs, and repairs it only with --apply', async () => {
  const { apiKey, userId, projectId, subscriptionId } = await buyer({ isDelivered: false });
  const looked = await billing('reconcile', '--project', projectId);
  expect(looked).toMatchObject({ code: 0 });
  expect(looked.out).toContain(subscriptionId);
  expect(looked.out).toMatch(/dry run +yes/);
  expect(await system.features(apiKey, userId)).toEqual([]);
  const done = await billing('reconcile', '--project', projectId, '--apply', '--yes', '--json');
  expect(JSON.parse(done.out)).toMatchObject({ status: 'done', dry_run: false });
  await system.awaitFeatures(apiKey, userId, ['premium']);
  const runId: string = JSON.parse(done.out).run_id;
  expect((await billing('runs', runId)).out).toMatch(/status +done/);
}, 60_000);

test('a recorded event is replayed, one or all of an object; a dry run without --apply', async () => {
  const { subscriptionId } = await buyer({ isDelivered: true });
  const recorded = async (): Promise<string[]> => {
    const { out } = await billing('events', '--object', subscriptionId, '--json');
    return JSON.parse(out).data.map((event: { event_id: string }) => event.event_id);
  };
  await waitFor(async () => (await recorded()).length > 0, { what: 'a recorded event' });
  const [eventId = ''] = await recorded();
  const one = await billing('replay', eventId);
  expect(one).toMatchObject({ code: 0 });
  expect(one.out).toMatch(/dry run +yes/);
  const all = await billing('replay', '--object', subscriptionId, '--apply', '--yes');
  expect(all).toMatchObject({ code: 0 });
  expect(all.out).toMatch(/status +done/);
  const unknown = await billing('replay', 'evt_unknown');
  expect(unknown).toMatchObject({ code: 1 });
  expect(unknown.notes).toContain('event_not_found');
}, 60_000);
