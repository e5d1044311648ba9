import { isId, subscriptionSnapshot } from '@billing/domain';
import type { BoughtItem, StripeLookup, SubscriptionSnapshot } from '@billing/domain';
import type { SyncDeps } from '../deps.ts';
import { toStripeFailure } from './stripe-failure.ts';

export type ReadDeps = Pick<SyncDeps, 'stripe' | 'budget' | 'logger' | 'counters' | 'subscriptionLookups'>;
type Kind = 'subscription' | 'checkout_session' | 'charge' | 'payment_intent';

/** More items than any subscription or session has; a bound all the same. */
const maxItems = 500;

/** One read within the budget. 404 is an answer; everything else that goes wrong is "out of reach". */
export async function read<T>(deps: ReadDeps, kind: Kind, ask: () => Promise<T>): Promise<StripeLookup<T>> {
  if (!(await deps.budget.take())) {
    deps.counters.readsRefused.inc({ reason: 'budget' });
    return { kind: 'unreachable' };
  }
  try {
    return { kind: 'found', object: await ask() };
  } catch (error) {
    const failure = toStripeFailure(error);
    if (failure.kind === 'missing') {
      deps.counters.missingInStripe.inc({ kind });
      return { kind: 'missing' };
    }
    if (failure.kind === 'throttled') await deps.budget.throttle(failure.retryAfterMs);
    deps.counters.readsRefused.inc({ reason: failure.kind === 'throttled' ? 'throttled' : 'unreachable' });
    deps.logger.warn('stripe_read_failed', { object: kind, failure: failure.kind, error });
    return { kind: 'unreachable' };
  }
}

/** Reads a subscription as Stripe has it now, all its items included. */
export function lookupSubscription(deps: ReadDeps, id: string): Promise<StripeLookup<SubscriptionSnapshot>> {
  return deps.subscriptionLookups(id, (sent) =>
    read(deps, 'subscription', async () => {
      sent();
      const rendered = await deps.stripe.subscriptions.retrieve(id, { expand: ['latest_invoice'] });
      if (!rendered.items.has_more) return subscriptionSnapshot.parse(rendered);
      const all = await deps.stripe.subscriptionItems
        .list({ subscription: id, limit: 100 })
        .autoPagingToArray({ limit: maxItems });
      return subscriptionSnapshot.parse({ ...rendered, items: { data: all, has_more: false } });
    }),
  );
}

/** Reads what a checkout session sold: one entry for each price. */
export function lookupLineItems(deps: ReadDeps, sessionId: string): Promise<StripeLookup<BoughtItem[]>> {
  return read(deps, 'checkout_session', async () => {
    const lines = await deps.stripe.checkout.sessions
      .listLineItems(sessionId, { limit: 100 })
      .autoPagingToArray({ limit: maxItems });
    const bought = new Map<string, number>();
    for (const line of lines) {
      const priceId = line.price?.id;
      if (isId(priceId)) bought.set(priceId, (bought.get(priceId) ?? 0) + (line.quantity ?? 1));
    }
    return [...bought]
      .map(([stripePriceId, quantity]) => ({ stripePriceId, quantity }))
      .sort((a, b) => (a.stripePriceId < b.stripePriceId ? -1 : 1));
  });
}
