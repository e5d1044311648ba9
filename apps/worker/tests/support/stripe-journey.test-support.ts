import type { Stripe } from 'stripe';
import { uniqueId } from './start-test-worker.test-support.ts';
import type { TestWorker } from './start-test-worker.test-support.ts';

export type Journey = Awaited<ReturnType<typeof startJourney>>;

/** A customer of the offline Stripe who buys something there; `history` gives the events that it made. */
export async function startJourney(world: TestWorker, mode: 'subscription' | 'payment', more: object = {}) {
  const userId = uniqueId('user');
  const customer = await world.stripe.customers.create({ metadata: { user_id: userId } });
  const price = await world.stripe.prices.create({
    currency: 'usd',
    unit_amount: 4900,
    product_data: { name: 'Test' },
    ...(mode === 'subscription' ? { recurring: { interval: 'month' } } : {}),
  });
  await world.database.price.create({
    data: {
      projectId: 'shop',
      priceId: `our_${price.id}`,
      productId: mode === 'subscription' ? 'sub' : 'once',
      stripePriceId: price.id,
      amount: 4900n,
      currency: 'usd',
      interval: mode === 'subscription' ? 'month' : 'one_time',
      verifyAt: null,
    },
  });
  const session = await world.stripe.checkout.sessions.create({
    mode,
    customer: customer.id,
    success_url: 'https://app.example.com/done',
    line_items: [{ price: price.id, quantity: 1 }],
    ...more,
  });
  return {
    userId,
    customerId: customer.id,
    priceId: price.id,
    sessionId: session.id,
    /** Maps the customer to the user, as a checkout through our API does. */
    map: async (): Promise<void> => {
      const user = await world.database.user.upsert({
        where: { projectId_userId: { projectId: 'shop', userId } },
        create: { projectId: 'shop', userId },
        update: {},
      });
      await world.database.customer.create({
        data: { stripeCustomerId: customer.id, userRef: user.id, source: 'checkout' },
      });
    },
    pay: (body: object = {}) => world.control(`/checkout/sessions/${session.id}/pay`, body),
    subscription: async (): Promise<Stripe.Subscription> => {
      const { data } = await world.stripe.subscriptions.list({ customer: customer.id, status: 'all' });
      const [first] = data;
      if (first === undefined) throw new Error('the customer has no subscription');
      return first;
    },
    /** Stripe's events about this customer, oldest first. */
    history: async (): Promise<Stripe.Event[]> => {
      const all = await world.stripe.events.list({ limit: 100 }).autoPagingToArray({ limit: 2_000 });
      return all.filter((event) => JSON.stringify(event.data.object).includes(customer.id)).reverse();
    },
  };
}

/** The same events in another order. */
export function shuffled<T>(values: readonly T[], random: () => number = Math.random): T[] {
  return values
    .map((value) => ({ value, place: random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ value }) => value);
}
