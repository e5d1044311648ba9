import { secondMs } from '../time.ts';
import type { Instant } from '../time.ts';

/** A delivery that is due. */
export type DueDelivery = {
  id: number;
  /** Null: it is about the project. */
  userId: string | null;
  /** One of a sequence of states: an older one of the same kind waits, which is due then; null: none does. */
  behindUntil: Instant | null;
  /** Before then it is not tried the first time. */
  firstTryAt: Instant;
};

export type ClaimContext = {
  delivery: 'latest' | 'every';
  /** How many may be tried at once besides those under way. */
  free: number;
  /** Whose deliveries are under way, until when at most. */
  busy: ReadonlyMap<string | null, Instant>;
  /** Deliveries up to this one are discarded. */
  discardedTo: number;
  now: Instant;
  /** When a claim that is made now ends. */
  claimEndsAt: Instant;
};

export type ClaimPlan = {
  claimed: number[];
  /** Of the claimed: those before which older states are superseded. */
  superseding: number[];
  /** Wait for another of their user, or for their first try. */
  putOff: { id: number; until: Instant; isBehind: boolean }[];
  discarded: number[];
};

const emptyPlan = (): ClaimPlan => ({ claimed: [], superseding: [], putOff: [], discarded: [] });

/**
 * Which of an endpoint's due deliveries, the longest due first, are tried now: of a user one at a time, and where every state is
 * wanted, none before an older one has been accepted or given up.
 */
export function planClaims(due: readonly DueDelivery[], context: ClaimContext): ClaimPlan {
  const { delivery, free, discardedTo, now, claimEndsAt } = context;
  const plan = emptyPlan();
  const busy = new Map(context.busy);
  for (const { id, userId, behindUntil, firstTryAt } of due) {
    const busyUntil = busy.get(userId);
    if (id <= discardedTo) plan.discarded.push(id);
    else if (firstTryAt > now) plan.putOff.push({ id, until: firstTryAt, isBehind: false });
    else if (busyUntil !== undefined) plan.putOff.push({ id, until: busyUntil, isBehind: true });
    else if (delivery === 'every' && behindUntil !== null)
      plan.putOff.push({ id, until: Math.max(behindUntil, now + secondMs), isBehind: true });
    else if (plan.claimed.length < free) {
      plan.claimed.push(id);
      if (behindUntil !== null) plan.superseding.push(id);
      busy.set(userId, claimEndsAt);
    }
  }
  return plan;
}
