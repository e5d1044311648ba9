import type * as domain from '@billing/domain';
import { json, problem, startScriptedService } from './scripted-service.test-support.ts';
import type { ScriptedService } from './scripted-service.test-support.ts';
import type {
  Cancellation,
  ChangePreview,
  Pause,
  Subscription,
  SubscriptionChange,
  SubscriptionList,
  WantedChange,
} from './subscriptions-wire.ts';

type Same<A, B> = [A, B] extends [B, A] ? true : false;
const sameTypes: [
  Same<Subscription, domain.SubscriptionOut>,
  Same<SubscriptionList, ReturnType<typeof domain.subscriptionList.parse>>,
  Same<Cancellation, Omit<domain.CancelRequest, 'project_id'>>,
  Same<NonNullable<Pause['behavior']>, domain.PauseRequest['behavior']>,
  Same<WantedChange, domain.WantedChange>,
  Same<SubscriptionChange, Omit<domain.ChangeRequest, 'project_id'>>,
  Same<ChangePreview, domain.ChangePreview>,
] = [true, true, true, true, true, true, true];

const monthly: Subscription = {
  subscription_id: 'sub_1',
  user_id: 'user_1',
  status: 'active',
  items: [
    {
      item_id: 'si_1',
      price_id: 'pro_monthly',
      stripe_price_id: 'price_1',
      product_id: 'pro',
      quantity: null,
      current_period_start: '2026-11-01T00:00:00.000Z',
      current_period_end: null,
    },
  ],
  cancel_at: null,
  cancel_at_period_end: false,
  ended_at: null,
  trial_end: null,
  pause_collection: null,
  pending_change: null,
  pending_payment: null,
  is_duplicate: false,
  confirmed: true,
  created: '2026-11-01T00:00:00.000Z',
};

let service: ScriptedService;
beforeAll(async () => {
  service = await startScriptedService();
});
beforeEach(() => service.seen.splice(0));
afterAll(() => service.stop());

test('subscriptions are listed and read by their addresses', async () => {
  expect(sameTypes).not.toContain(false);
  service.script(json({ data: [monthly], next_cursor: 'more' }));
  const options = { status: 'active', limit: 1, cursor: 'c' } as const;
  const list = await service.client().subscriptions('user 1', options);
  expect(list).toEqual({ data: [monthly], next_cursor: 'more' });
  expect(Object.fromEntries(service.seen[0]?.url.searchParams ?? [])).toEqual({
    user_id: 'user 1',
    status: 'active',
    limit: '1',
    cursor: 'c',
  });
  service.script(json({ ...monthly, subscription_id: 'sub/1' }));
  await service.client().subscription('sub/1');
  expect(service.seen[1]?.url.pathname).toBe('/api/v1/subscriptions/sub%2F1');
});

test('a change is sent again with the same key until it is answered, and is about the subscription asked for', async () => {
  service.script(problem(503, 'stripe_unavailable'), json(monthly));
  await service.client().cancelSubscription('sub_1', { at: 'now', reason: 'r' });
  const [first, second] = service.seen;
  expect(first?.headers['idempotency-key']).toBe(second?.headers['idempotency-key']);
  expect([first?.url.pathname, JSON.parse(first?.body ?? '')]).toEqual([
    '/api/v1/subscriptions/sub_1/cancel',
    { at: 'now', reason: 'r' },
  ]);
  const key = { idempotencyKey: 'mine' };
  await service.client().pauseSubscription('sub_1', { behavior: 'void' }, key);
  await service.client().resumeSubscription('sub_1', key);
  expect(service.seen.slice(2).map(({ url, headers }) => [url.pathname, headers['idempotency-key']])).toEqual(
    [
      ['/api/v1/subscriptions/sub_1/pause', 'mine'],
      ['/api/v1/subscriptions/sub_1/resume', 'mine'],
    ],
  );
  const other = service.client({ retries: 0 }).resumeSubscription('sub_2');
  await expect(other).rejects.toMatchObject({ code: 'invalid_response' });
});

test('what could not be sent is refused here', async () => {
  const client = service.client();
  await expect(client.subscription('..')).rejects.toMatchObject({ code: 'invalid_request' });
  await expect(client.resumeSubscription('s', { idempotencyKey: ' ' })).rejects.toMatchObject({
    code: 'invalid_request',
  });
  expect(service.seen).toEqual([]);
});

test('a change is previewed and made with the token, and says where to pay', async () => {
  const preview: ChangePreview = {
    due_now: 100,
    credit: 0,
    currency: 'usd',
    lines: [
      {
        description: null,
        amount: -5,
        period: { start: '2026-11-01T00:00:00.000Z', end: '2026-12-01T00:00:00.000Z' },
      },
    ],
    next_invoice: null,
    effective_at: '2026-11-01T00:00:00.000Z',
    preview_token: 'token',
    expires_at: '2026-11-01T00:10:00.000Z',
  };
  const client = service.client();
  const wanted = { items: [{ price_id: 'pro', quantity: 2 }] };
  service.script(json(preview), json(monthly), json(monthly));
  const shown = await client.previewChange('sub_1', wanted);
  expect(shown).toEqual(preview);
  await client.changeSubscription('sub_1', { ...wanted, preview_token: shown.preview_token });
  await client.dropPendingChange('sub_1');
  expect(service.seen.map(({ method, url, body }) => [method, url.pathname, body])).toEqual([
    ['POST', '/api/v1/subscriptions/sub_1/preview', JSON.stringify(wanted)],
    ['POST', '/api/v1/subscriptions/sub_1/change', JSON.stringify({ ...wanted, preview_token: 'token' })],
    ['DELETE', '/api/v1/subscriptions/sub_1/pending-change', ''],
  ]);
  const refusal = {
    code: 'payment_required',
    detail: 'd',
    hosted_invoice_url: 'https://invoice.stripe.com/i/1',
  };
  service.script(json(refusal, 402));
  await expect(client.changeSubscription('sub_1', wanted)).rejects.toMatchObject({
    code: 'payment_required',
    hostedInvoiceUrl: 'https://invoice.stripe.com/i/1',
    retryable: false,
  });
});
