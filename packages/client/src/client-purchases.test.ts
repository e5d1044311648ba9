import { answer } from './answers.test-support.ts';
import {
  html,
  cutOff,
  hang,
  json,
  limitFor,
  problem,
  startScriptedService,
} from './scripted-service.test-support.ts';
import type { ScriptedService } from './scripted-service.test-support.ts';
import type { CheckoutRequest } from './wire.ts';

let service: ScriptedService;
beforeEach(async () => {
  service = await startScriptedService();
});
afterEach(() => service.stop());

const request: CheckoutRequest = {
  user_id: 'user_1',
  price_id: 'price_pro',
  mode: 'subscription',
  success_url: 'https://shop.example/ok?session={CHECKOUT_SESSION_ID}',
  cancel_url: 'https://shop.example/no',
  quantity: 3,
  metadata: { campaign: 'autumn' },
};
const session = {
  checkout_url: 'https://checkout.stripe.com/c/cs_1',
  session_id: 'cs_1',
  expires_at: '2026-11-23T10:00:00.000Z',
};
const portal = { portal_url: 'https://billing.stripe.com/p/1', expires_at: '2026-11-22T10:05:00.000Z' };
const keys = (): unknown[] => service.seen.map((one) => one.headers['idempotency-key']);

describe('createCheckout', () => {
  test('sends the request as it is, and returns the session', async () => {
    service.script(json(session));
    await expect(service.client().createCheckout(request)).resolves.toEqual(session);
    const [seen] = service.seen;
    expect(seen?.method).toBe('POST');
    expect(seen?.url.pathname).toBe('/api/v1/checkout/create');
    expect(seen?.headers['content-type']).toBe('application/json');
    expect(JSON.parse(seen?.body ?? '')).toEqual(request);
  });

  test('every call has a key of its own', async () => {
    service.script(json(session));
    await service.client().createCheckout(request);
    await service.client().createCheckout(request);
    expect(new Set(keys()).size).toBe(2);
  });

  test.each([
    { name: 'a closed connection', step: cutOff },
    { name: 'silence', step: hang },
    { name: 'a first try that is still under way', step: problem(409, 'idempotency_in_progress') },
    { name: '429', step: problem(429, 'rate_limited') },
    { name: "a proxy's 502", step: html(502) },
    { name: "a proxy's 504", step: html(504) },
    { name: '503', step: problem(503, 'stripe_unavailable') },
  ])('is tried again with the same key and body after $name', async ({ step }) => {
    service.script(step, step, json(session));
    await expect(service.client(limitFor(step)).createCheckout(request)).resolves.toEqual(session);
    expect(service.seen).toHaveLength(3);
    expect(new Set(keys()).size).toBe(1);
    expect(new Set(service.seen.map((one) => one.body)).size).toBe(1);
  });

  test.each([
    [400, 'mode_mismatch'],
    [404, 'price_not_found'],
    [409, 'already_subscribed'],
    [409, 'idempotency_conflict'],
    [502, 'stripe_error'],
  ])('%p %p is thrown at once', async (status, code) => {
    service.script(problem(status, code));
    const failed = service.client().createCheckout(request);
    await expect(failed).rejects.toMatchObject({ code, status, retryable: false });
    expect(service.seen).toHaveLength(1);
  });

  test("the caller's own key is used", async () => {
    service.script(json(session));
    await service.client().createCheckout(request, { idempotencyKey: 'order-17' });
    expect(keys()).toEqual(['order-17']);
  });

  test.each(['', 'two words', 'line\nbreak'])(
    'the key %p is refused before anything is sent',
    async (key) => {
      const failed = service.client().createCheckout(request, { idempotencyKey: key });
      await expect(failed).rejects.toMatchObject({
        code: 'invalid_request',
        errors: [{ path: 'Idempotency-Key', message: 'must be 1 to 255 visible ASCII characters' }],
      });
      expect(service.seen).toHaveLength(0);
    },
  );

  test('an answer without an address to go to is refused', async () => {
    service.script(json({ session_id: 'cs_1' }));
    await expect(service.client().createCheckout(request)).rejects.toMatchObject({
      code: 'invalid_response',
    });
  });
});

test('an embedded page has a secret in place of an address', async () => {
  const embedded = { ...session, checkout_url: null, client_secret: 'cs_1_secret_2' };
  service.script(json(embedded));
  const asked = {
    user_id: 'ann',
    items: [{ price_id: 'pro' }, { price_id: 'seats', quantity: 3 }],
    mode: 'subscription',
    ui_mode: 'embedded',
    return_url: 'https://shop.example/back',
  } as const;
  await expect(service.client().createCheckout({ ...asked, items: [...asked.items] })).resolves.toEqual(
    embedded,
  );
});

test('a checkout says what it warns of, words of a newer service included', async () => {
  const warned = { ...session, warnings: ['possible_duplicate', 'another'] };
  service.script(json(warned));
  await expect(service.client().createCheckout(request)).resolves.toEqual(warned);
});

describe('confirmCustomer', () => {
  const confirmation = { user_id: 'user_1', source_id: 'sub_1' };
  const confirmed = { ...confirmation, stripe_customer_id: 'cus_1' };

  test('sends the request as it is, again after a failure, and forgets the cached answer', async () => {
    const client = service.client({ cache: { ttlMs: 60_000 } });
    service.script(json(answer({ entitlements: [] })), cutOff, json(confirmed), json(answer()));
    await expect(client.can('user_1', 'premium_export')).resolves.toBe(false);
    await expect(client.confirmCustomer(confirmation)).resolves.toEqual(confirmed);
    await expect(client.can('user_1', 'premium_export')).resolves.toBe(true);
    expect(service.seen[2]?.url.pathname).toBe('/api/v1/customers/confirm');
    expect(JSON.parse(service.seen[2]?.body ?? '')).toEqual(confirmation);
  });

  test.each([
    [404, 'source_not_found'],
    [409, 'customer_exists'],
  ])('%p %p is thrown at once', async (status, code) => {
    service.script(problem(status, code));
    const failed = service.client().confirmCustomer(confirmation);
    await expect(failed).rejects.toMatchObject({ code, status, retryable: false });
    expect(service.seen).toHaveLength(1);
  });
});

test('invoices: a page of a user, which is asked for again where Stripe could not be asked', async () => {
  const page = {
    data: [
      {
        invoice_id: 'in_1',
        number: null,
        status: 'draft',
        total: -5,
        amount_due: 0,
        currency: 'usd',
        created: '2026-11-22T10:00:00.000Z',
        period_start: '2026-11-22T10:00:00.000Z',
        period_end: '2026-11-22T10:00:00.000Z',
        hosted_invoice_url: null,
        invoice_pdf: null,
      },
    ],
    next_cursor: 'next',
  };
  service.script(problem(503, 'stripe_unavailable'), json(page));
  await expect(service.client().invoices('user 1', { limit: 2, cursor: 'c' })).resolves.toEqual(page);
  expect(service.seen.at(-1)?.url.search).toBe('?user_id=user+1&limit=2&cursor=c');
  service.script(json({ data: [{}], next_cursor: null }));
  await expect(service.client().invoices('user_1')).rejects.toMatchObject({ code: 'invalid_response' });
  await expect(service.client().invoices('')).rejects.toMatchObject({ code: 'invalid_request' });
});

describe('createPortalSession', () => {
  const portalRequest = { user_id: 'user_1', return_url: 'https://shop.example/account' };

  test('sends the request as it is, and returns the page', async () => {
    service.script(json(portal));
    await expect(service.client().createPortalSession(portalRequest)).resolves.toEqual(portal);
    expect(service.seen[0]?.url.pathname).toBe('/api/v1/portal/create-session');
    expect(JSON.parse(service.seen[0]?.body ?? '')).toEqual(portalRequest);
  });

  test.each([
    { name: 'a closed connection', step: cutOff, retryable: true },
    { name: '503', step: problem(503, 'stripe_unavailable'), retryable: true },
    { name: 'no customer', step: problem(404, 'customer_not_found'), retryable: false },
  ])('is tried once: $name', async ({ step, retryable }) => {
    service.script(step);
    await expect(service.client().createPortalSession(portalRequest)).rejects.toMatchObject({ retryable });
    expect(service.seen).toHaveLength(1);
  });
});
