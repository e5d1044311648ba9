import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { ServiceError } from '@billing/domain';
import { claimSlots, keepOpenCheckout, releaseSlots } from '@billing/store';
import type { OpenCheckout, Slots } from '@billing/store';
import type { AppDeps } from '../deps.ts';
import { canonicalJson } from './answer-once.ts';
import type { StripeBudget } from './call-stripe.ts';
import { endSession, readSession } from './end-session.ts';
import type { Session } from './stripe-answers.ts';

export type OpenDeps = Pick<AppDeps, 'database' | 'clock' | 'stripe' | 'logger' | 'pagesInFlight'>;

/** A session, and the hash of what Stripe was asked for. */
export type MadeSession = { session: Session; requestHash: string };

export type OpenRequest = Slots & {
  /** An open page of an equal request is used again; null: none is. */
  requestHash: string | null;
  /** A page that is known, and stays; null: none is. */
  knownId: string | null;
  /** A page for these slots was paid: throws if the buyer has what is sold by that. */
  refusePaid: (subscriptionId: string) => Promise<void>;
  make: () => Promise<MadeSession>;
};

/** Of the 15 s of a checkout. */
const waitMs = 6_000;
const pauseMs = 150;

/**
 * Of what is asked of Stripe, but for when the page ends, which depends on the moment: `besides` says how long it is open, and what
 * else of the request Stripe is not asked for here.
 */
export function requestHashOf(
  params: Readonly<Record<string, unknown>>,
  besides: { email?: string | undefined; expiresInSeconds?: number | undefined } = {},
): string {
  const { expires_at: _moment, ...lasting } = params;
  return createHash('sha256')
    .update(canonicalJson({ ...lasting, ...besides }))
    .digest('hex');
}

async function claim(deps: OpenDeps, slots: Slots) {
  const endsAt = performance.now() + waitMs;
  for (;;) {
    const claimed = await claimSlots(deps.database, { ...slots, now: deps.clock() });
    if (claimed !== null) return claimed;
    if (performance.now() >= endsAt)
      throw new ServiceError(
        'service_unavailable',
        'Another checkout of this user is being made; send the request again in a moment.',
        { retryable: true, retryAfterSeconds: 2 },
      );
    await sleep(pauseMs * (0.5 + Math.random()));
  }
}

/**
 * What is left of the pages that may be open: the one to use again, if the request is equal; all others are ended at Stripe.
 * `paid`: the subscriptions that they turned out to have made.
 */
async function endOthers(
  deps: OpenDeps,
  { open, requestHash }: { open: readonly OpenCheckout[]; requestHash: string | null },
  budget: StripeBudget,
): Promise<{ again: Session | null; paid: string[] }> {
  const ids = [...new Set(open.map(({ sessionId }) => sessionId))];
  const isEqual = ids.length === 1 && open.every((one) => one.requestHash === requestHash);
  const paid: string[] = [];
  for (const id of ids) {
    const seen = isEqual ? await readSession(deps, id, budget) : null;
    if (seen?.kind === 'open' && seen.isOfUse) return { again: seen.session, paid };
    const state = seen === null || seen.kind === 'open' ? await endSession(deps, id, budget) : seen;
    if (state.kind === 'complete' && state.subscriptionId !== null) paid.push(state.subscriptionId);
  }
  return { again: null, paid };
}

/**
 * Makes sure that one page at most is open for a user's group of plans (or price without one): that of an equal request is
 * used again, any other is ended before a new one is made. Where that was paid meanwhile, `refusePaid` decides. Throws
 * `service_unavailable` where another request does the same and takes too long.
 */
export async function openOnce(deps: OpenDeps, request: OpenRequest, budget: StripeBudget): Promise<Session> {
  const { userRef, slots, requestHash, make } = request;
  if (slots.length === 0) return (await make()).session;
  if (requestHash === null) return openInTurn(deps, request, budget);
  // Equal requests at the same time share one.
  const key = JSON.stringify([userRef.toString(), slots, requestHash]);
  const joined = deps.pagesInFlight.get(key);
  if (joined !== undefined) return joined;
  const opened = openInTurn(deps, request, budget).finally(() => deps.pagesInFlight.delete(key));
  deps.pagesInFlight.set(key, opened);
  return opened;
}

async function openInTurn(deps: OpenDeps, request: OpenRequest, budget: StripeBudget): Promise<Session> {
  const { hold, open: noted } = await claim(deps, request);
  const open = noted.filter(({ sessionId }) => sessionId !== request.knownId);
  const release = (): Promise<void> =>
    releaseSlots(deps.database, hold).catch((error: unknown) =>
      deps.logger.warn('checkout_slots_not_released', { error }),
    );
  try {
    const { again, paid } = await endOthers(deps, { open, requestHash: request.requestHash }, budget);
    for (const subscriptionId of paid) await request.refusePaid(subscriptionId);
    if (again !== null) {
      await release();
      return again;
    }
    const { session, requestHash } = await request.make();
    const { id: sessionId, expires_at: expiresAt } = session;
    await keepOpenCheckout(deps.database, hold, { sessionId, requestHash, expiresAt }).catch(
      // The slots are free after some seconds, and this page is not known: two may be open then.
      (error: unknown) => deps.logger.warn('open_checkout_not_noted', { error }),
    );
    return session;
  } catch (error) {
    await release();
    throw error;
  }
}
