import { checkoutSessionFacts, withSession } from '@billing/domain';
import type { SessionClaims } from '@billing/domain';
import type { EventState, StateKeys } from '@billing/store';
import { noKeys, ownerKeys } from './decide-events.ts';
import { subscriptionKind } from './object-kinds.ts';
import { changedFields, planWrite } from './plan-write.ts';
import type { WritePlan } from './plan-write.ts';

/** A session of Stripe's list that started a subscription, and what it says of it. */
export type SubscriptionSession = SessionClaims & { subscriptionId: string };

/** Reads a session as Stripe lists it; none: it started no subscription. */
export function subscriptionSession(rendered: unknown): SubscriptionSession[] {
  const parsed = checkoutSessionFacts.safeParse(rendered);
  if (!parsed.success) return [];
  const { mode, subscriptionId, customerId, claims } = parsed.data;
  return mode === 'subscription' && subscriptionId !== null ? [{ subscriptionId, customerId, claims }] : [];
}

/** All that must be read to decide what sessions change. */
export const sessionKeys = (sessions: readonly SubscriptionSession[]): StateKeys => ({
  ...noKeys,
  ...ownerKeys(sessions),
  subscriptionIds: sessions.map((session) => session.subscriptionId),
});

/**
 * What listed sessions change in the stored subscriptions that they started: the same as their events. As claims are merged
 * alike in every order, the rows need not be read before Stripe is asked.
 */
export function planSessions(sessions: readonly SubscriptionSession[], state: EventState): WritePlan[] {
  return [...new Set(sessions.map((session) => session.subscriptionId))].flatMap((id) => {
    const stored = state.subscriptions.get(id);
    if (stored === undefined) return [];
    const named = sessions.filter((session) => session.subscriptionId === id);
    const plan = planWrite(subscriptionKind, { stored, row: named.reduce(withSession, stored.row), state });
    if (changedFields(plan, state).length === 0) return [];
    // A mapping that was committed while this was decided did not see the row's new customer.
    return [{ ...plan, review: plan.owner === null ? subscriptionKind.key(id) : plan.review }];
  });
}
