/**
 * Compares the offline Stripe with Stripe's own material:
 *   node conformance/check.mjs <offline port> <stripe-mock port> <spec3.json>
 * 1. every request that this product sends is accepted by stripe-mock, which validates parameters;
 * 2. every object the offline Stripe answers with, and every event's object, fits Stripe's OpenAPI document.
 */
import { readFileSync } from 'node:fs';

import { Stripe } from 'stripe';

import { makeBillingObjects } from './billing-objects.mjs';
import { check } from './schema.mjs';
import { anyIds, makeSubscription, subscriptionCalls } from './subscription-calls.mjs';

const [offlinePort, mockPort, specFile] = process.argv.slice(2);
const spec = JSON.parse(readFileSync(specFile, 'utf8'));
const clientFor = (port) =>
  new Stripe('sk_test_123', {
    host: '127.0.0.1',
    port,
    protocol: 'http',
    maxNetworkRetries: 0,
    telemetry: false,
  });
const offline = clientFor(offlinePort);
const mock = clientFor(mockPort);

/** Fields of the pinned API version, newer than the document. */
const newer = [
  'allowed_payment_method_types',
  'current_trial',
  'intended_submission_method',
  'evidence_details.submission_method',
  'pause_schedules',
  'payment_record',
  'tax_details',
  'end_behavior.billing_cycle_anchor',
  'pending_update.cancel_at_period_end',
  'subscription_pause',
];
/** Fields that Stripe sends and the stripe package's types have, but not the document. */
const undocumented = ['plan', 'source', 'product.type', 'recurring.trial_period_days'];
const context = {
  schemas: spec.components.schemas,
  isExtra: (path) =>
    [...newer, ...undocumented].some((field) => path.endsWith(`.${field}`) || path === field),
};

const seen = new Map();
const problems = new Map();

/** Checks one object by the schema that its `object` field names. */
function checkObject(object, where) {
  const name = object.object === 'list' ? null : object.object;
  if (name === null) {
    for (const entry of object.data) checkObject(entry, where);
    return;
  }
  seen.set(name, (seen.get(name) ?? 0) + 1);
  // Through JSON: the stripe package turns decimals into objects of its own.
  const plain = JSON.parse(JSON.stringify(object));
  const found = object.deleted ? [] : check(context, context.schemas[name], plain, name);
  for (const problem of found) problems.set(problem.replaceAll(/\[\d+\]/g, '[]'), where);
}

function key() {
  return { idempotencyKey: `key-${Math.random()}` };
}

/** The calls of this product, with ids from either side. */
async function productCalls(stripe, ids) {
  const metadata = { user_id: 'user_1', project_id: 'demo', price_id: 'pro', quantity: '1' };
  const customer = await stripe.customers.create({ email: 'a@example.com', metadata }, key());
  const shared = {
    customer: ids?.customer ?? customer.id,
    client_reference_id: 'user_1',
    success_url: 'https://example.com/done?session={CHECKOUT_SESSION_ID}',
    cancel_url: 'https://example.com/cancel',
    metadata,
  };
  const price = ids?.price ?? 'price_monthly';
  const once = ids?.once ?? 'price_once';
  const answers = [customer];
  answers.push(
    await stripe.checkout.sessions.create(
      {
        ...shared,
        mode: 'subscription',
        line_items: [{ price, quantity: 1 }],
        subscription_data: { metadata, trial_period_days: 7 },
      },
      key(),
    ),
    await stripe.checkout.sessions.create(
      {
        ...shared,
        mode: 'payment',
        line_items: [{ price: once, quantity: 2 }],
        payment_intent_data: { metadata },
      },
      key(),
    ),
    await stripe.billingPortal.sessions.create({
      customer: shared.customer,
      return_url: 'https://example.com/account',
    }),
    await stripe.subscriptions.list({ status: 'all', limit: 100, expand: ['data.latest_invoice'] }),
    await stripe.subscriptions.retrieve(ids?.subscription ?? 'sub_123', { expand: ['latest_invoice'] }),
    await stripe.checkout.sessions.listLineItems(ids?.session ?? 'cs_123', { limit: 100 }),
    await stripe.checkout.sessions.list({ payment_intent: ids?.intent ?? 'pi_123', limit: 1 }),
    await stripe.events.list({
      types: ['invoice.paid', 'customer.subscription.updated'],
      limit: 100,
      created: { gte: 1 },
    }),
    await stripe.events.list({ delivery_success: false, limit: 10 }),
    await stripe.invoicePayments.list({
      payment: { type: 'payment_intent', payment_intent: ids?.intent ?? 'pi_123' },
    }),
    await stripe.paymentIntents.retrieve(ids?.intent ?? 'pi_123', { expand: ['latest_charge'] }),
    await stripe.charges.retrieve(ids?.charge ?? 'ch_123', { expand: ['refunds'] }),
    await stripe.refunds.create(
      { charge: ids?.charge ?? 'ch_123', amount: 100, reason: 'requested_by_customer' },
      key(),
    ),
    await stripe.disputes.list({ charge: ids?.charge ?? 'ch_123' }),
    await stripe.customers.retrieve(shared.customer),
    await stripe.prices.retrieve(price),
    await stripe.billing.meters.list({ status: 'active', limit: 100 }),
    await stripe.billing.meters.listEventSummaries(ids?.meter ?? 'mtr_123', {
      customer: shared.customer,
      start_time: 60,
      end_time: 120,
    }),
    await stripe.billing.meterEvents.create({
      event_name: ids === null ? 'calls' : 'conformance_calls',
      identifier: `event-${Math.random()}`,
      payload: { stripe_customer_id: shared.customer, value: '-3' },
      timestamp: Math.floor(Date.now() / 1000),
    }),
    (await stripe.accounts.retrieveCurrent?.()) ?? (await stripe.accounts.retrieve()),
  );
  return answers;
}

async function control(path, body) {
  const response = await fetch(`http://127.0.0.1:${offlinePort}/_offline/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${path}: ${await response.text()}`);
  return response.json();
}

/** Makes every kind of object and event. */
async function live() {
  const customer = await offline.customers.create({ name: 'Shape' });
  const product = await offline.products.create({ name: 'Shape' });
  const price = await offline.prices.create({
    product: product.id,
    currency: 'usd',
    unit_amount: 900,
    recurring: { interval: 'month' },
  });
  const once = await offline.prices.create({ product: product.id, currency: 'usd', unit_amount: 5000 });
  const urls = {
    customer: customer.id,
    success_url: 'https://example.com/',
    cancel_url: 'https://example.com/',
  };
  const open = (mode, id, more = {}) =>
    offline.checkout.sessions.create({ ...urls, mode, line_items: [{ price: id, quantity: 1 }], ...more });
  const paid = await control(`checkout/sessions/${(await open('subscription', price.id)).id}/pay`, {});
  const trial = await open('subscription', price.id, { subscription_data: { trial_period_days: 5 } });
  await control(`checkout/sessions/${trial.id}/pay`, {});
  const late = await open('payment', once.id);
  await control(`checkout/sessions/${late.id}/pay`, { payment_status: 'unpaid' });
  await control(`checkout/sessions/${late.id}/settle`, { outcome: 'failed' });
  const bought = await control(`checkout/sessions/${(await open('payment', once.id)).id}/pay`, {});
  const schedule = await offline.subscriptionSchedules.create({ from_subscription: paid.subscription });
  await offline.subscriptionSchedules.release(schedule.id);
  await offline.subscriptions.update(paid.subscription, { pause_collection: { behavior: 'void' } });
  await offline.subscriptions.update(paid.subscription, { pause_collection: '' });
  await control(`subscriptions/${paid.subscription}/fail_next_payment`, {});
  await control('clock', { advance_seconds: 33 * 86_400 });
  const intent = await offline.paymentIntents.retrieve(bought.payment_intent);
  const { latest_charge: charge } = JSON.parse(JSON.stringify(intent));
  const dispute = await control(`charges/${charge}/dispute`, {});
  await control(`disputes/${dispute.id}/close`, { status: 'won' });
  return {
    customer: customer.id,
    price: price.id,
    once: once.id,
    subscription: paid.subscription,
    session: bought.id,
    intent: intent.id,
    charge,
  };
}

await productCalls(mock, null);
await subscriptionCalls(mock, anyIds);
process.stdout.write('stripe-mock accepts every request\n');
const ids = await live();
const made = await makeBillingObjects(offline, control);
ids.meter = made.find((one) => one.object === 'billing.meter').id;
for (const one of made) checkObject(one, 'answer');
const sold = await makeSubscription(offline, control);
for (const one of [...sold.made, ...(await subscriptionCalls(offline, sold.ids))]) checkObject(one, 'answer');
for (const answer of await productCalls(offline, ids)) checkObject(answer, 'answer');
for await (const event of offline.events.list({ limit: 100 })) {
  checkObject(event, 'event');
  checkObject(event.data.object, event.type);
}
process.stdout.write(`objects checked: ${JSON.stringify(Object.fromEntries(seen))}\n`);
for (const [problem, where] of problems) process.stdout.write(`${problem} (${where})\n`);
process.stdout.write(`problems: ${problems.size}\n`);
process.exitCode = problems.size === 0 ? 0 : 1;
