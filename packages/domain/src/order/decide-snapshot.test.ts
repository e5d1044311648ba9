import { subscriptionStatuses } from '../stripe/subscription.ts';
import type { SubscriptionStatus } from '../stripe/subscription.ts';
import { decideSnapshot } from './decide-snapshot.ts';
import type { SnapshotDecision } from './decide-snapshot.ts';
import { incomingOf, rowOf } from './snapshots.test-support.ts';
import { isTerminal, unknownSubscription } from './subscription-row.ts';
import type { Incoming } from './subscription-row.ts';

type When = 'older' | 'tie' | 'newer';
const createdOf: Record<When, number> = { older: 900, tie: 1_000, newer: 1_100 };

/** The rule, cell by cell: the stored status, the arriving one, and when that was created. */
function expected(stored: SubscriptionStatus, arriving: SubscriptionStatus, when: When): SnapshotDecision {
  if (isTerminal(stored) && !isTerminal(arriving)) return 'stale';
  if (isTerminal(arriving) && !isTerminal(stored)) return 'apply';
  if (when === 'newer') return 'apply';
  if (when === 'older') return 'stale';
  return stored === arriving ? 'stale' : 'needs_lookup';
}

const cells = subscriptionStatuses.flatMap((stored) =>
  subscriptionStatuses.flatMap((arriving) =>
    (['older', 'tie', 'newer'] as const).map((when) => ({ stored, arriving, when })),
  ),
);

function withoutItems(status: SubscriptionStatus): Incoming {
  const incoming = incomingOf({ status, created: 1_100 });
  return { ...incoming, snapshot: { ...incoming.snapshot, items: [], areItemsComplete: false } };
}

describe('decideSnapshot', () => {
  it.each(cells)('$stored is stored, $when $arriving arrives', ({ stored, arriving, when }) => {
    const row = rowOf(incomingOf({ status: stored, created: 1_000 }));
    const decision = decideSnapshot(row, incomingOf({ status: arriving, created: createdOf[when] }));
    expect(decision).toBe(expected(stored, arriving, when));
  });

  it.each(subscriptionStatuses)('applies the first snapshot: %s', (status) => {
    expect(decideSnapshot(unknownSubscription('sub_1'), incomingOf({ status, created: 1 }))).toBe('apply');
  });

  it('looks a tie up again while the row is unconfirmed, even if its content is the same', () => {
    const incoming = incomingOf({ status: 'active', created: 1_000 });
    expect(decideSnapshot({ ...rowOf(incoming), confirmed: false }, incoming)).toBe('needs_lookup');
  });

  it('does not look up again what Stripe does not have', () => {
    const incoming = incomingOf({ status: 'active', created: 1_000 });
    const row = { ...rowOf(incoming), confirmed: false, missingInStripeAt: 5 };
    expect(decideSnapshot(row, incoming)).toBe('stale');
  });

  it('does not apply a snapshot without its items, unless it is the end', () => {
    const row = rowOf(incomingOf({ status: 'active', created: 1_000 }));
    expect(decideSnapshot(row, withoutItems('active'))).toBe('needs_lookup');
    expect(decideSnapshot(row, withoutItems('canceled'))).toBe('apply');
  });
});
