import type Stripe from 'stripe';

import {
  idOf,
  openCheckout,
  seed,
  startOffline,
  type Catalog,
  type Offline,
} from './harness.test-support.ts';

let offline: Offline;
let catalog: Catalog;
beforeAll(async () => {
  offline = await startOffline();
  catalog = await seed(offline.stripe);
});
afterAll(() => offline.close());

async function buy(): Promise<Stripe.Charge> {
  const session = await openCheckout(offline, catalog, {
    mode: 'payment',
    line_items: [{ price: catalog.once.id, quantity: 1 }],
  });
  const paid = await offline.control(`checkout/sessions/${session.id}/pay`, {});
  const charges = await offline.stripe.charges.list({ payment_intent: String(paid['payment_intent']) });
  const [charge] = charges.data;
  if (charge === undefined) throw new Error('no charge');
  return charge;
}

test('refunds in part, then the rest; no more than was paid', async () => {
  const charge = await buy();
  const part = await offline.stripe.refunds.create({ charge: charge.id, amount: 1000 });
  expect(part).toMatchObject({ amount: 1000, status: 'succeeded', payment_intent: charge.payment_intent });
  expect(await offline.stripe.charges.retrieve(charge.id)).toMatchObject({
    amount_refunded: 1000,
    refunded: false,
  });
  await expect(offline.stripe.refunds.create({ charge: charge.id, amount: 4000 })).rejects.toMatchObject({
    param: 'amount',
  });
  await offline.stripe.refunds.create({ payment_intent: idOf(charge.payment_intent) });
  const whole = await offline.stripe.charges.retrieve(charge.id, { expand: ['refunds'] });
  expect(whole).toMatchObject({ amount_refunded: 4900, refunded: true });
  expect(whole.refunds?.data).toHaveLength(2);
  expect((await offline.eventTypes()).slice(-4)).toEqual([
    'refund.created',
    'charge.refunded',
    'refund.created',
    'charge.refunded',
  ]);
  await expect(offline.stripe.refunds.create({ charge: charge.id })).rejects.toMatchObject({
    code: 'charge_already_refunded',
  });
});

test('a refund that fails later gives the money back to the charge', async () => {
  const charge = await buy();
  const refund = await offline.stripe.refunds.create({ charge: charge.id });
  await offline.control(`refunds/${refund.id}/fail`, {});
  expect(await offline.stripe.refunds.retrieve(refund.id)).toMatchObject({ status: 'failed' });
  expect(await offline.stripe.charges.retrieve(charge.id)).toMatchObject({
    amount_refunded: 0,
    refunded: false,
  });
  expect(await offline.eventTypes()).toEqual(
    expect.arrayContaining(['refund.failed', 'refund.updated', 'charge.refund.updated']),
  );
});

test.each([
  ['won', 'charge.dispute.funds_reinstated'],
  ['lost', 'charge.dispute.funds_withdrawn'],
])('a dispute that is %s', async (status, type) => {
  const charge = await buy();
  const dispute = await offline.control(`charges/${charge.id}/dispute`, {});
  expect(await offline.stripe.charges.retrieve(charge.id)).toMatchObject({ disputed: true });
  await offline.control(`disputes/${String(dispute['id'])}/close`, { status });
  expect(await offline.stripe.disputes.retrieve(String(dispute['id']))).toMatchObject({
    status,
    charge: charge.id,
  });
  expect(await offline.eventTypes()).toContain(type);
  expect((await offline.eventTypes()).at(-1)).toBe('charge.dispute.closed');
});
