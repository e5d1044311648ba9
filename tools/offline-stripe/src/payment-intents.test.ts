import type Stripe from 'stripe';

import { idOf, startOffline, until, type Offline } from './harness.test-support.ts';

let offline: Offline;
beforeEach(async () => {
  offline = await startOffline();
});
afterEach(() => offline.close());

const usd = { amount: 2_000, currency: 'usd' };

function pay(more: Partial<Stripe.PaymentIntentCreateParams> = {}): Promise<Stripe.PaymentIntent> {
  return offline.stripe.paymentIntents.create({
    ...usd,
    payment_method: 'pm_card_visa',
    confirm: true,
    ...more,
  });
}

test('confirm pays; the charge carries what the intent says', async () => {
  const intent = await pay({ description: 'Pass', metadata: { a: '1' }, expand: ['latest_charge'] });
  expect(intent).toMatchObject({
    status: 'succeeded',
    amount_received: 2_000,
    latest_charge: { status: 'succeeded', captured: true, description: 'Pass', metadata: { a: '1' } },
  });
  expect(await offline.eventTypes()).toEqual([
    'payment_intent.created',
    'payment_intent.succeeded',
    'charge.succeeded',
  ]);
});

test('a payment is prepared, then confirmed', async () => {
  const { stripe } = offline;
  const intent = await stripe.paymentIntents.create(usd);
  expect(intent.status).toBe('requires_payment_method');
  await expect(stripe.paymentIntents.confirm(intent.id)).rejects.toMatchObject({
    code: 'payment_intent_unexpected_state',
  });
  const ready = await stripe.paymentIntents.update(intent.id, { payment_method: 'pm_card_visa' });
  expect(ready.status).toBe('requires_confirmation');
  expect(await stripe.paymentIntents.confirm(intent.id)).toMatchObject({ status: 'succeeded' });
});

test('a declined card answers 402 with the intent, and the same again under its idempotency key', async () => {
  const create = (): Promise<unknown> =>
    offline.stripe.paymentIntents.create(
      { ...usd, payment_method: 'pm_card_chargeDeclined', confirm: true },
      { idempotencyKey: 'declined' },
    );
  const declined = {
    statusCode: 402,
    type: 'StripeCardError',
    code: 'card_declined',
    payment_intent: { status: 'requires_payment_method' },
  };
  await expect(create()).rejects.toMatchObject(declined);
  await expect(create()).rejects.toMatchObject(declined);
  expect(await offline.eventTypes()).toEqual([
    'payment_intent.created',
    'charge.failed',
    'payment_intent.payment_failed',
  ]);
});

test('a payer who must be asked', async () => {
  const asked = { payment_method: 'pm_card_authenticationRequired' };
  expect(await pay({ ...asked, return_url: 'http://127.0.0.1:9/' })).toMatchObject({
    status: 'requires_action',
    next_action: { type: 'redirect_to_url', redirect_to_url: { return_url: 'http://127.0.0.1:9/' } },
  });
  expect(await offline.eventTypes()).toContain('payment_intent.requires_action');
});

describe('capture_method manual', () => {
  const held = { capture_method: 'manual' } as const;

  test('reserves the money, and takes it when it is captured', async () => {
    const { stripe } = offline;
    const intent = await pay({ ...held, expand: ['latest_charge'] });
    expect(intent).toMatchObject({
      status: 'requires_capture',
      amount_capturable: 2_000,
      amount_received: 0,
      latest_charge: { status: 'succeeded', captured: false, amount_captured: 0 },
    });
    const charge = idOf(intent.latest_charge);
    await expect(stripe.refunds.create({ charge })).rejects.toMatchObject({ statusCode: 400 });
    await expect(
      stripe.paymentIntents.capture(intent.id, { amount_to_capture: 2_001 }),
    ).rejects.toMatchObject({ code: 'amount_too_large' });
    const paid = await stripe.paymentIntents.capture(intent.id, { amount_to_capture: 1_500 });
    expect(paid).toMatchObject({ status: 'succeeded', amount_received: 1_500, amount_capturable: 0 });
    expect(await stripe.charges.retrieve(charge)).toMatchObject({
      captured: true,
      amount_captured: 1_500,
      amount_refunded: 500,
      refunded: false,
    });
    expect(await offline.eventTypes()).toEqual([
      'payment_intent.created',
      'charge.succeeded',
      'payment_intent.amount_capturable_updated',
      'charge.captured',
      'payment_intent.succeeded',
    ]);
  });

  test('gives it back when it is canceled', async () => {
    const intent = await pay(held);
    const canceled = await offline.stripe.paymentIntents.cancel(intent.id, {
      cancellation_reason: 'requested_by_customer',
    });
    expect(canceled).toMatchObject({ status: 'canceled', cancellation_reason: 'requested_by_customer' });
    expect((await offline.eventTypes()).slice(-3)).toEqual([
      'refund.created',
      'charge.refunded',
      'payment_intent.canceled',
    ]);
    await expect(offline.stripe.paymentIntents.capture(intent.id)).rejects.toMatchObject({
      code: 'payment_intent_unexpected_state',
    });
  });

  test('lets it go after seven days', async () => {
    const intent = await pay(held);
    await offline.advance(7 * 86_400 + 1);
    expect(await offline.stripe.paymentIntents.retrieve(intent.id)).toMatchObject({
      status: 'canceled',
      cancellation_reason: 'automatic',
    });
    expect((await offline.eventTypes()).slice(-2)).toEqual(['charge.expired', 'payment_intent.canceled']);
  });
});

test.each([
  ['AT611904300234573201', 'succeeded'],
  ['AT861904300235473202', 'requires_payment_method'],
])('a bank debit from %s ends as %s', async (iban, status) => {
  const { stripe } = offline;
  const method = await stripe.paymentMethods.create({
    type: 'sepa_debit',
    sepa_debit: { iban },
    billing_details: { name: 'Bob', email: 'bob@example.com' },
  });
  const debit = { currency: 'eur', payment_method: method.id, payment_method_types: ['sepa_debit'] };
  await expect(pay(debit)).rejects.toMatchObject({ param: 'mandate_data' });
  const intent = await pay({
    ...debit,
    mandate_data: { customer_acceptance: { type: 'offline' } },
  });
  expect(intent.status).toBe('processing');
  await offline.advance(5);
  expect(await stripe.paymentIntents.retrieve(intent.id)).toMatchObject({ status });
});

test('a card is made, attached, used by its customer alone, and detached', async () => {
  const { stripe } = offline;
  const [customer, other] = await Promise.all([stripe.customers.create({}), stripe.customers.create({})]);
  const card = await stripe.paymentMethods.create({ type: 'card', card: { token: 'tok_visa' } });
  const attached = await stripe.paymentMethods.attach(card.id, { customer: customer.id });
  expect(attached).toMatchObject({ id: card.id, customer: customer.id });
  await expect(stripe.paymentMethods.attach(card.id, { customer: other.id })).rejects.toMatchObject({
    statusCode: 400,
  });
  await expect(pay({ payment_method: card.id })).rejects.toMatchObject({ param: 'payment_method' });
  expect(await pay({ payment_method: card.id, customer: customer.id })).toMatchObject({
    status: 'succeeded',
  });
  expect((await stripe.customers.listPaymentMethods(customer.id)).data.map(({ id }) => id)).toEqual([
    card.id,
  ]);
  await stripe.paymentMethods.detach(card.id);
  expect((await stripe.paymentMethods.list({ customer: customer.id })).data).toEqual([]);
  expect(await offline.eventTypes()).toEqual(
    expect.arrayContaining(['payment_method.attached', 'payment_method.detached']),
  );
});

test('a test token becomes a card of its own when it is attached', async () => {
  const customer = await offline.stripe.customers.create({
    payment_method: 'pm_card_visa',
    invoice_settings: { default_payment_method: 'pm_card_visa' },
  });
  const [card] = (await offline.stripe.paymentMethods.list({ customer: customer.id })).data;
  expect(customer.invoice_settings.default_payment_method).toBe(card?.id);
  await expect(
    offline.stripe.paymentMethods.attach('pm_card_chargeDeclined', { customer: customer.id }),
  ).rejects.toMatchObject({ statusCode: 402 });
});

test('a card that is made for it is disputed', async () => {
  const intent = await pay({ payment_method: 'pm_card_createDisputeInquiry' });
  const [dispute] = (await offline.stripe.disputes.list({ payment_intent: intent.id })).data;
  expect(dispute).toMatchObject({ status: 'warning_needs_response', amount: 2_000 });
  const closed = await offline.stripe.disputes.close(dispute?.id ?? '');
  expect(closed.status).toBe('warning_closed');
});

test('events/{id}/retry delivers an event again', async () => {
  await pay();
  await until(() => offline.receiver.events.length === 3, 'all events arrived');
  const first = offline.receiver.events[0]?.id ?? '';
  const again = await fetch(`${offline.url}/v1/events/${first}/retry`, {
    method: 'POST',
    headers: {
      authorization: 'Bearer sk_test_offline',
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: 'for_stripecli=true',
  });
  expect(await again.json()).toMatchObject({ id: first, object: 'event' });
  await until(() => offline.receiver.events.filter(({ id }) => id === first).length === 2, 'it came again');
});
