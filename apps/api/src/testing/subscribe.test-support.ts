import { applyChanged } from '@billing/sync';
import type { Stripe } from 'stripe';
import type { Commerce } from './start-commerce.test-support.ts';

type Wanted = Partial<Stripe.SubscriptionCreateParams> & {
  projectId: string;
  userId: string;
  stripePriceIds: readonly string[];
};

/** Brings a subscription in as Stripe has it, as its event would. */
export async function bringIn({ deps }: Commerce, id: string): Promise<void> {
  const outcome = await applyChanged(deps, { id, answer: null, lookupMs: 10_000 });
  if (outcome !== 'confirmed') throw new Error('the offline Stripe did not answer');
}

/** A subscription of the offline Stripe that its metadata gives to a user, and that is known here. Returns its id. */
export async function subscribe(
  commerce: Commerce,
  { projectId, userId, stripePriceIds, ...params }: Wanted,
): Promise<string> {
  const { stripe } = commerce;
  const { id: customer } = await stripe.customers.create({});
  const { id } = await stripe.subscriptions.create({
    customer,
    items: stripePriceIds.map((price) => ({ price })),
    metadata: { user_id: userId, project_id: projectId },
    ...params,
  });
  await bringIn(commerce, id);
  return id;
}
