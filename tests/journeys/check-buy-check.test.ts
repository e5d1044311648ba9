import { waitFor } from '@billing/testing';
import { browserPath, openBrowser } from '@billing/testing/browser';
import { Stripe } from 'stripe';
import request from 'supertest';
import { uniqueId } from '../../apps/api/src/testing/start-commerce.test-support.ts';
import { testWebhookSecret } from '../../apps/api/src/testing/start-test-api.test-support.ts';
import { startWholeSystem } from './whole-system.test-support.ts';
import type { WholeSystem } from './whole-system.test-support.ts';

const day = 86_400;
const shop = 'https://app.example.com';

// A system for each test: some move its clock.
let system: WholeSystem;
beforeEach(async () => {
  system = await startWholeSystem();
});
afterEach(() => system.close());

/** A project that sells one product, a user of it, and a checkout of theirs. */
async function order(product: Parameters<WholeSystem['sell']>[1] = {}) {
  const { projectId, apiKey } = await system.createProject();
  const price = await system.sell(projectId, product);
  const userId = uniqueId('user');
  const mode = product.interval === 'one_time' ? 'payment' : 'subscription';
  const { body } = await system
    .checkout(apiKey, system.order(price.priceId, { user_id: userId, mode }))
    .expect(200);
  const sessionId: string = body.session_id;
  const url: string = body.checkout_url;
  return { projectId, apiKey, userId, sessionId, url };
}

async function bought(product: Parameters<WholeSystem['sell']>[1] = {}) {
  const made = await order(product);
  await system.pay(made.sessionId);
  await system.awaitFeatures(made.apiKey, made.userId, product.featureCodes ?? ['premium']);
  const session = await system.stripe.checkout.sessions.retrieve(made.sessionId);
  return { ...made, session };
}

const idOf = (reference: string | { id: string } | null): string => {
  if (reference === null) throw new Error('the session names no such object');
  return typeof reference === 'string' ? reference : reference.id;
};

/** Presses a button of the hosted page in a real browser, where there is one; returns where it led to. */
async function press(button: 'Pay' | 'Cancel', { url, sessionId }: { url: string; sessionId: string }) {
  if (browserPath === undefined) {
    if (button === 'Pay') await system.pay(sessionId);
    return button === 'Pay' ? `${shop}/done?session=${sessionId}` : `${shop}/cancel`;
  }
  const browser = await openBrowser();
  try {
    const page = await browser.newPage();
    // The shop does not exist here; what counts is that the browser goes there.
    await page.route('https://app.example.com/**', (route) => route.fulfill({ body: 'back in the shop' }));
    await page.goto(url);
    await page.getByRole('button', { name: button, exact: true }).click();
    await page.waitForURL('https://app.example.com/**');
    return page.url();
  } finally {
    await browser.close();
  }
}

describe('check, buy, check', () => {
  it('grants a subscription after the hosted page was paid', async () => {
    const made = await order({ featureCodes: ['export', 'support'] });
    const { apiKey, userId } = made;
    expect(await system.features(apiKey, userId)).toEqual([]);
    expect(await press('Pay', made)).toBe(`${shop}/done?session=${made.sessionId}`);
    await system.awaitFeatures(apiKey, userId, ['export', 'support']);
    const { entitlements } = await system.check(apiKey, userId);
    for (const entitlement of entitlements) {
      expect(entitlement.status).toBe('active');
      expect(Date.parse(entitlement.valid_to ?? '')).toBeGreaterThan(Date.now() + 28 * day * 1000);
    }
  });

  it('grants nothing after Cancel', async () => {
    const made = await order();
    expect(await press('Cancel', made)).toBe(`${shop}/cancel`);
    expect(await system.features(made.apiKey, made.userId)).toEqual([]);
  });
});

describe('a one-time purchase', () => {
  it('gives its features for its days of access and not a second longer', async () => {
    const { apiKey, userId } = await bought({ interval: 'one_time', accessDays: 30 });
    const { entitlements, valid_until: validUntil } = await system.check(apiKey, userId);
    const end = Date.parse(entitlements[0]?.valid_to ?? '');
    expect(validUntil).toBe(entitlements[0]?.valid_to);
    system.clock.advance(end - system.clock.now() - 1_500);
    expect(await system.features(apiKey, userId)).toEqual(['premium']);
    system.clock.advance(1_500);
    expect(await system.features(apiKey, userId)).toEqual([]);
  });

  it('lasts for ever without days of access, until it is refunded', async () => {
    const { apiKey, userId, session } = await bought({ interval: 'one_time' });
    expect((await system.check(apiKey, userId)).entitlements[0]?.valid_to).toBeNull();
    await system.stripe.refunds.create({ payment_intent: idOf(session.payment_intent) });
    await system.awaitFeatures(apiKey, userId, []);
  });

  it('that is paid later grants when the payment succeeds', async () => {
    const { apiKey, userId, sessionId } = await order({ interval: 'one_time' });
    await system.pay(sessionId, { payment_status: 'unpaid' });
    await waitFor(
      async () => (await system.deps.database.purchase.findFirst({ where: { sessionId } })) !== null,
      {
        what: 'the purchase',
      },
    );
    expect(await system.features(apiKey, userId)).toEqual([]);
    await system.control(`/checkout/sessions/${sessionId}/settle`, { outcome: 'succeeded' });
    await system.awaitFeatures(apiKey, userId, ['premium']);
  });
});

describe('a subscription', () => {
  it('that is cancelled at period end lasts until then and not a second longer', async () => {
    const { apiKey, userId, session } = await bought();
    await system.stripe.subscriptions.update(idOf(session.subscription), { cancel_at_period_end: true });
    await waitFor(
      async () => {
        const row = await system.deps.database.subscription.findUnique({
          where: { id: idOf(session.subscription) },
        });
        return row?.cancelAtPeriodEnd === true;
      },
      { what: 'the cancellation' },
    );
    const end = Date.parse((await system.check(apiKey, userId)).entitlements[0]?.valid_to ?? '');
    system.clock.advance(end - system.clock.now() - 1_500);
    expect(await system.features(apiKey, userId)).toEqual(['premium']);
    system.clock.advance(1_500);
    expect(await system.features(apiKey, userId)).toEqual([]);
  });

  it('whose renewal fails keeps access for the grace period', async () => {
    const { apiKey, userId, session } = await bought();
    await system.control(`/subscriptions/${idOf(session.subscription)}/fail_next_payment`, {});
    await system.control('/clock', { advance_seconds: 31 * day + 60 });
    await waitFor(async () => (await system.check(apiKey, userId)).entitlements[0]?.status === 'past_due', {
      what: 'past_due',
    });
    const graceEnd = Date.parse((await system.check(apiKey, userId)).entitlements[0]?.valid_to ?? '');
    system.clock.advance(graceEnd - system.clock.now() - 1_500);
    expect(await system.features(apiKey, userId)).toEqual(['premium']);
    system.clock.advance(1_500);
    expect(await system.features(apiKey, userId)).toEqual([]);
  });
});

describe('a webhook', () => {
  it('delivered 50 times leaves one ledger row and one effect', async () => {
    const { apiKey, userId, session } = await bought();
    const { data: events } = await system.stripe.events.list({
      type: 'customer.subscription.created',
      limit: 100,
    });
    const event = events.find((one) => JSON.stringify(one).includes(idOf(session.subscription)));
    const payload = JSON.stringify(event);
    const { version } = await system.deps.database.user.findFirstOrThrow({ where: { userId } });
    const signature = Stripe.webhooks.generateTestHeaderString({ payload, secret: testWebhookSecret });
    await Promise.all(
      Array.from({ length: 50 }, () =>
        request(system.url)
          .post('/api/v1/webhooks/stripe')
          .set('stripe-signature', signature)
          .set('content-type', 'application/json')
          .send(payload)
          .expect(200, { received: true, event_id: event?.id }),
      ),
    );
    await waitFor(
      async () => Object.values(await system.deps.stripeEvents.counts()).every((count) => count === 0),
      { what: 'an empty queue' },
    );
    expect(await system.deps.database.stripeEvent.count({ where: { eventId: event?.id ?? '' } })).toBe(1);
    const after = await system.deps.database.user.findFirstOrThrow({ where: { userId } });
    expect(after.version).toBe(version);
    expect(await system.features(apiKey, userId)).toEqual(['premium']);
  });

  it('with a wrong signature is refused and writes nothing', async () => {
    const payload = JSON.stringify({ id: uniqueId('evt'), type: 'customer.created', data: { object: {} } });
    const signature = Stripe.webhooks.generateTestHeaderString({ payload, secret: 'whsec_of_another' });
    const rows = await system.deps.database.stripeEvent.count();
    const { body } = await request(system.url)
      .post('/api/v1/webhooks/stripe')
      .set('stripe-signature', signature)
      .send(payload)
      .expect(401);
    expect(body.code).toBe('invalid_signature');
    expect(await system.deps.database.stripeEvent.count()).toBe(rows);
  });
});

describe('without Redis', () => {
  it('reads stay right, webhooks get 503, and everything works again when it is back', async () => {
    const { apiKey, userId } = await bought();
    await system.redis.kill();
    expect(await system.features(apiKey, userId)).toEqual(['premium']);
    const payload = JSON.stringify({
      id: uniqueId('evt'),
      object: 'event',
      type: 'customer.subscription.updated',
      created: 1,
      data: { object: { id: 'sub_x', object: 'subscription' } },
    });
    const signature = Stripe.webhooks.generateTestHeaderString({ payload, secret: testWebhookSecret });
    const { body } = await request(system.url)
      .post('/api/v1/webhooks/stripe')
      .set('stripe-signature', signature)
      .send(payload)
      .expect(503)
      .expect('retry-after', /^\d+$/);
    expect(body.code).toBe('queue_unavailable');
    await system.redis.start();
    await waitFor(() => system.deps.stripeEvents.ready(), { what: 'the queue' });
    const next = await bought();
    expect(await system.features(next.apiKey, next.userId)).toEqual(['premium']);
  });
});
