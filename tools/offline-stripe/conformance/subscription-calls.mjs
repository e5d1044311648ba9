const period = 30 * 86_400;

/** Sells: coupons and codes, sessions of every kind. */
async function selling(stripe, ids) {
  const shared = { mode: 'subscription', customer: ids.customer };
  const hosted = { ...shared, success_url: 'https://example.com/' };
  const items = [{ price: ids.price, quantity: 1 }];
  const several = await stripe.checkout.sessions.create({
    ...hosted,
    line_items: [
      { price: ids.price, quantity: 2, adjustable_quantity: { enabled: true, minimum: 1, maximum: 9 } },
      { price: ids.once, quantity: 1 },
    ],
    allow_promotion_codes: true,
    automatic_tax: { enabled: true },
    tax_id_collection: { enabled: true },
    customer_update: { address: 'auto', name: 'auto' },
    billing_address_collection: 'required',
    payment_method_collection: 'if_required',
    locale: 'fr',
    subscription_data: {
      trial_end: ids.now + period,
      trial_settings: { end_behavior: { missing_payment_method: 'pause' } },
    },
    expires_at: ids.now + 3_000,
  });
  return [
    several,
    await stripe.checkout.sessions.expire(several.id),
    await stripe.checkout.sessions.create({
      ...shared,
      line_items: items,
      ui_mode: 'embedded_page',
      return_url: 'https://example.com/',
      discounts: [{ promotion_code: ids.code }],
    }),
    await stripe.checkout.sessions.create({
      mode: 'payment',
      success_url: 'https://example.com/',
      line_items: [{ price: ids.once, quantity: 1 }],
      invoice_creation: { enabled: true },
    }),
  ];
}

/** Changes a subscription: previews, exchanges, later phases, pause, end. */
async function changing(stripe, ids) {
  const { subscription, item } = ids;
  const details = {
    items: [
      { id: item, price: ids.price, quantity: 2 },
      { price: ids.other, quantity: 1 },
    ],
    proration_behavior: 'always_invoice',
    proration_date: ids.now,
  };
  const answers = [
    await stripe.invoices.createPreview({ subscription, subscription_details: details }),
    await stripe.invoices.createPreview({ subscription, preview_mode: 'recurring' }),
    await stripe.subscriptions.update(subscription, {
      ...details,
      payment_behavior: 'pending_if_incomplete',
      expand: ['latest_invoice', 'discounts'],
    }),
    await stripe.subscriptions.update(subscription, {
      pause_collection: { behavior: 'void', resumes_at: ids.now + period },
    }),
    await stripe.subscriptions.update(subscription, { pause_collection: '' }),
  ];
  const schedule = await stripe.subscriptionSchedules.create({ from_subscription: subscription });
  const end = schedule.phases[0]?.end_date ?? ids.now + period;
  answers.push(
    await stripe.subscriptionSchedules.update(schedule.id, {
      end_behavior: 'release',
      phases: [
        {
          items: [{ price: ids.price, quantity: 2 }],
          discounts: [{ promotion_code: ids.code }],
          start_date: schedule.phases[0]?.start_date ?? ids.now,
          end_date: end,
        },
        {
          items: [{ price: ids.other, quantity: 1 }],
          duration: { interval: 'month', interval_count: 1 },
          proration_behavior: 'none',
          metadata: { a: '1' },
        },
      ],
      proration_behavior: 'none',
    }),
    await stripe.subscriptionSchedules.retrieve(schedule.id),
    await stripe.subscriptionSchedules.release(schedule.id, { preserve_cancel_date: false }),
    await stripe.subscriptions.update(subscription, {
      cancel_at_period_end: true,
      cancellation_details: { comment: 'too dear' },
    }),
    await stripe.subscriptions.update(subscription, { cancel_at: '' }),
  );
  return answers;
}

/** The portal, and a customer's invoices. */
async function managing(stripe, ids) {
  const configuration = await stripe.billingPortal.configurations.create({
    features: {
      payment_method_update: { enabled: true },
      subscription_cancel: { enabled: true, mode: 'at_period_end' },
      subscription_update: {
        enabled: true,
        default_allowed_updates: ['price'],
        products: [{ product: ids.product, prices: [ids.price] }],
        proration_behavior: 'always_invoice',
      },
    },
  });
  const open = (flow) =>
    stripe.billingPortal.sessions.create({
      customer: ids.customer,
      configuration: ids.configuration ?? configuration.id,
      return_url: 'https://example.com/',
      flow_data: flow,
    });
  const of = { subscription: ids.subscription };
  return [
    configuration,
    await stripe.billingPortal.configurations.list({ active: true, limit: 10 }),
    await open({ type: 'payment_method_update' }),
    await open({ type: 'subscription_update', subscription_update: of }),
    await open({
      type: 'subscription_cancel',
      subscription_cancel: of,
      after_completion: { type: 'redirect', redirect: { return_url: 'https://example.com/' } },
    }),
    await stripe.invoices.list({ customer: ids.customer, limit: 3 }),
    await stripe.promotionCodes.list({ code: 'CONFORM', active: true, limit: 1 }),
    await stripe.promotionCodes.retrieve(ids.code),
    await stripe.coupons.retrieve(ids.coupon),
  ];
}

/** The calls that sell and change subscriptions, with ids from either side; the objects that are answered. */
export async function subscriptionCalls(stripe, ids) {
  return [
    ...(await selling(stripe, ids)),
    ...(await changing(stripe, ids)),
    ...(await managing(stripe, ids)),
    await stripe.subscriptions.cancel(ids.subscription, { cancellation_details: { comment: 'bye' } }),
  ];
}

/** For Stripe's mock any ids do. */
export const anyIds = {
  customer: 'cus_123',
  price: 'price_monthly',
  other: 'price_other',
  once: 'price_once',
  product: 'prod_123',
  subscription: 'sub_123',
  item: 'si_123',
  coupon: 'co_123',
  code: 'promo_123',
  now: Math.floor(Date.now() / 1000),
};

/** Makes what the calls need, a change that waits for its payment among it. */
export async function makeSubscription(stripe, control) {
  const customer = await stripe.customers.create({ email: 'conform@example.com' });
  const product = await stripe.products.create({ name: 'Plan' });
  const monthly = { product: product.id, currency: 'usd', recurring: { interval: 'month' } };
  const price = await stripe.prices.create({ ...monthly, unit_amount: 1_000 });
  const other = await stripe.prices.create({ ...monthly, unit_amount: 400 });
  const once = await stripe.prices.create({ product: product.id, currency: 'usd', unit_amount: 300 });
  const coupon = await stripe.coupons.create({ percent_off: 10, duration: 'forever' });
  const code = await stripe.promotionCodes.create({
    promotion: { type: 'coupon', coupon: coupon.id },
    code: 'CONFORM',
    restrictions: { minimum_amount: 1, minimum_amount_currency: 'usd' },
  });
  await stripe.promotionCodes.update(code.id, { metadata: { a: '1' } });
  const subscription = await stripe.subscriptions.create({
    customer: customer.id,
    items: [{ price: price.id }],
    discounts: [{ promotion_code: code.id }],
  });
  await control('clock', { advance_seconds: 86_400 });
  await control(`subscriptions/${subscription.id}/fail_next_payment`, { times: 1 });
  const item = subscription.items.data[0].id;
  const held = await stripe.subscriptions.update(subscription.id, {
    items: [{ id: item, quantity: 4 }],
    proration_behavior: 'always_invoice',
    payment_behavior: 'pending_if_incomplete',
  });
  if (held.pending_update === null) throw new Error('The change does not wait for its payment.');
  await stripe.invoices.voidInvoice(held.latest_invoice);
  const { now } = await control('clock', { advance_seconds: 0 });
  const ids = { customer: customer.id, product: product.id, subscription: subscription.id, item, now };
  const more = { price: price.id, other: other.id, once: once.id, coupon: coupon.id, code: code.id };
  return { ids: { ...ids, ...more }, made: [code, coupon, held] };
}
