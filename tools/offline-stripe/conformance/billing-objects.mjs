/** A meter, what it counted of a customer, and a price that bills it. */
async function makeUsage(stripe, customer) {
  const meter = await stripe.billing.meters.create({
    display_name: 'Calls',
    event_name: 'conformance_calls',
    default_aggregation: { formula: 'sum' },
  });
  const price = await stripe.prices.create({
    product_data: { name: 'Calls' },
    currency: 'usd',
    unit_amount: 2,
    recurring: { interval: 'month', usage_type: 'metered', meter: meter.id },
  });
  const event = await stripe.billing.meterEvents.create({
    event_name: meter.event_name,
    identifier: `event-${Math.random()}`,
    payload: { stripe_customer_id: customer, value: '12' },
  });
  const minute = event.timestamp - (event.timestamp % 60);
  const span = { customer, start_time: minute, end_time: minute + 60 };
  const summaries = await stripe.billing.meters.listEventSummaries(meter.id, span);
  const subscription = await stripe.subscriptions.create({ customer, items: [{ price: price.id }] });
  return [meter, price, event, summaries, subscription];
}

/** Makes the objects that this product does not ask for itself: payments by hand, invoices, prorations, discounts. */
export async function makeBillingObjects(stripe, control) {
  const customer = await stripe.customers.create({
    payment_method: 'pm_card_visa',
    invoice_settings: { default_payment_method: 'pm_card_visa' },
  });
  await stripe.customers.createBalanceTransaction(customer.id, { amount: -100, currency: 'usd' });
  const held = { amount: 900, currency: 'usd', confirm: true, capture_method: 'manual' };
  const intent = await stripe.paymentIntents.create({ ...held, payment_method: 'pm_card_visa' });
  await stripe.paymentIntents.capture(intent.id, { amount_to_capture: 500 });
  const debit = await stripe.paymentMethods.create({
    type: 'sepa_debit',
    sepa_debit: { iban: 'AT611904300234573201' },
    billing_details: { name: 'Bob', email: 'bob@example.com' },
  });
  const product = await stripe.products.create({
    name: 'Plan',
    default_price_data: { currency: 'usd', unit_amount: 1000, recurring: { interval: 'month' } },
  });
  const coupon = await stripe.coupons.create({ percent_off: 25, duration: 'forever' });
  const subscription = await stripe.subscriptions.create({
    customer: customer.id,
    items: [{ price: product.default_price }],
    discounts: [{ coupon: coupon.id }],
  });
  await stripe.subscriptions.update(subscription.id, {
    items: [{ id: subscription.items.data[0].id, quantity: 3 }],
    proration_behavior: 'always_invoice',
  });
  const items = [{ price_data: { currency: 'usd', unit_amount: 700, product: product.id }, quantity: 1 }];
  const session = await stripe.checkout.sessions.create({
    mode: 'payment',
    line_items: items,
    success_url: 'https://example.com/',
    invoice_creation: { enabled: true },
  });
  await control(`checkout/sessions/${session.id}/pay`, {});
  const item = await stripe.invoiceItems.create({ customer: customer.id, amount: 400, currency: 'usd' });
  const draft = await stripe.invoices.create({
    customer: customer.id,
    pending_invoice_items_behavior: 'include',
  });
  const sent = await stripe.invoices.pay(draft.id);
  const usage = await makeUsage(stripe, customer.id);
  return [debit, coupon, item, sent, ...usage, await stripe.paymentMethods.list({ customer: customer.id })];
}
