import { Stripe } from 'stripe';
import { serveFastify } from '../webhook/serve-fastify.ts';
import { createApplyEvent } from './apply-event.ts';

/** No queue: verifies and writes inside the request, so that Stripe waits for Postgres and an outage of it loses time. */
const apply = createApplyEvent();
const secret = process.env['STRIPE_WEBHOOK_SECRET'] ?? '';
const stripe = new Stripe('sk_test_bench');
const text = JSON.stringify({ received: true });

await serveFastify(async (body, signature) => {
  await apply(stripe.webhooks.constructEvent(body, signature, secret));
  return { status: 200, text };
});
