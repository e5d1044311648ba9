import { PassThrough } from 'node:stream';
import type { StripeLookup, SubscriptionSnapshot } from '@billing/domain';
import { createLogger, createMetrics, createStripeClient } from '@billing/platform';
import { nonsense, startNonsenseFront } from '@billing/testing';
import type { NonsenseFront } from '@billing/testing';
import { createSyncMetrics } from '../sync-metrics.ts';
import { askStripe, readPage } from './ask-stripe.ts';
import { lookupPayment } from './lookup-payment.ts';
import { lookupSubscription } from './lookup-subscription.ts';
import { createSharedLookups } from './share-lookups.ts';

let front: NonsenseFront;
beforeAll(async () => {
  front = await startNonsenseFront();
});
afterAll(() => front.close());

function start() {
  const destination = new PassThrough().resume();
  return {
    stripe: createStripeClient({ secretKey: 'sk_test_x', apiBase: front.url, maxNetworkRetries: 0 }),
    budget: {
      take: () => Promise.resolve(true),
      throttle: () => Promise.resolve(),
      look: () => Promise.resolve(null),
    },
    logger: createLogger({ service: 'test', level: 'error', format: 'json', destination }),
    counters: createSyncMetrics(createMetrics({ service: 'test', withProcessMetrics: false })),
    subscriptionLookups: createSharedLookups<StripeLookup<SubscriptionSnapshot>>(),
  };
}

const noQuery = { lineItemsOf: null, charge: null, invoiceOf: null, invoice: null, intent: null };

describe.each(nonsense)('%s', (_what, status, body) => {
  beforeEach(() => front.answerWith({ status, body }));

  test.each<[string, (deps: ReturnType<typeof start>) => Promise<{ kind: string }>]>([
    ['a subscription', (deps) => lookupSubscription(deps, 'sub_1')],
    ['line items', (deps) => lookupPayment(deps, { ...noQuery, lineItemsOf: 'cs_1' })],
    ['a charge', (deps) => lookupPayment(deps, { ...noQuery, charge: 'ch_1' })],
    ['the invoice of a payment', (deps) => lookupPayment(deps, { ...noQuery, invoiceOf: 'pi_1' })],
    ['an invoice', (deps) => lookupPayment(deps, { ...noQuery, invoice: 'in_1' })],
    ['a PaymentIntent', (deps) => lookupPayment(deps, { ...noQuery, intent: 'pi_1' })],
  ])('a lookup of %s brings nothing, and throws nothing', async (_of, lookup) => {
    expect(await lookup(start())).toMatchObject({ kind: 'unreachable' });
  });

  test('a page of a list is read later', async () => {
    const deps = start();
    const { stripe } = deps;
    const { signal } = new AbortController();
    const pages = [
      readPage(deps, signal, () => stripe.events.list({ limit: 1 })),
      readPage(deps, signal, () => stripe.subscriptions.list()),
      readPage(deps, signal, () => stripe.paymentIntents.list()),
      readPage(deps, signal, () => stripe.checkout.sessions.list()),
      readPage(deps, signal, () => stripe.refunds.list()),
      readPage(deps, signal, () => stripe.disputes.list()),
    ];
    for (const page of await Promise.all(pages)) expect(page).toMatchObject({ kind: 'later' });
  });
});

test('a key that is not accepted at all is no matter of one object, and a missing permission is', async () => {
  const ask = async (status: number) => {
    front.answerWith({ status, body: JSON.stringify({ error: { message: 'no', type: 'x' } }) });
    const deps = start();
    return askStripe(deps, 'charge', () => deps.stripe.charges.retrieve('ch_1'));
  };
  expect(await ask(401)).toEqual({ kind: 'unreachable', isRefused: false });
  expect(await ask(403)).toEqual({ kind: 'unreachable', isRefused: true });
  expect(await ask(500)).toEqual({ kind: 'unreachable', isRefused: false });
  expect(await ask(404)).toEqual({ kind: 'missing' });
});
