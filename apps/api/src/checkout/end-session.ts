import type { z } from 'zod';
import type { AppDeps } from '../deps.ts';
import { callStripe, stripeErrorOf } from './call-stripe.ts';
import type { StripeBudget } from './call-stripe.ts';
import type { Session } from './stripe-answers.ts';
import { sessionState } from './stripe-answers.ts';

type Deps = Pick<AppDeps, 'stripe' | 'logger'>;

/** What a session is at Stripe. `over`: it expired, or Stripe does not know it. */
export type SessionState =
  { kind: 'open'; session: Session } | { kind: 'complete'; subscriptionId: string | null } | { kind: 'over' };

function toState(found: z.output<typeof sessionState>): SessionState {
  if (found.status === 'complete') return { kind: 'complete', subscriptionId: found.subscription ?? null };
  const { id, url, client_secret: secret, expires_at } = found;
  const canBePaid = found.status === 'open' && (url ?? secret ?? null) !== null;
  return canBePaid
    ? { kind: 'open', session: { id, url, client_secret: secret, expires_at } }
    : { kind: 'over' };
}

const isUnknown = (error: unknown): boolean => stripeErrorOf(error)?.statusCode === 404;

/** Reads a session from Stripe. */
export async function readSession(deps: Deps, id: string, budget: StripeBudget): Promise<SessionState> {
  try {
    return toState(
      await callStripe({ ...deps, budget }, sessionState, (options) =>
        deps.stripe.checkout.sessions.retrieve(id, {}, options),
      ),
    );
  } catch (error) {
    if (isUnknown(error)) return { kind: 'over' };
    throw error;
  }
}

/** Ends a session, so that nobody can pay it any more; if it is not open, says what became of it. */
export async function endSession(
  deps: Deps,
  id: string,
  budget: StripeBudget,
): Promise<Exclude<SessionState, { kind: 'open' }>> {
  try {
    await callStripe({ ...deps, budget }, sessionState, (options) =>
      deps.stripe.checkout.sessions.expire(id, {}, options),
    );
    return { kind: 'over' };
  } catch (error) {
    if (isUnknown(error)) return { kind: 'over' };
    if (stripeErrorOf(error)?.statusCode !== 400) throw error;
    const state = await readSession(deps, id, budget);
    // Stripe refuses to end it, and calls it open.
    if (state.kind === 'open') throw error;
    return state;
  }
}
