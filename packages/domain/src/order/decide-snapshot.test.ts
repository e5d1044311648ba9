import { subscriptionStatuses } from '../entitlements/sources.ts';
import type { SubscriptionStatus } from '../entitlements/sources.ts';
import { decideSnapshot } from './decide-snapshot.ts';
import type { SnapshotDecision } from './decide-snapshot.ts';
import { incomingOf, rowOf } from './snapshots.test-support.ts';
import { isTerminal, unknownSubscription } from './subscription-row.ts';
import type { Incoming } from './subscription-row.ts';

type When = 'older' | 'tie' | 'newer';
const createdOf: Record<When, number> = { older: 900, tie: 1_000, newer: 1_100 };

/** The rule, cell by cell: what is stored, what comes, and when it was created. */
function expected(stored: SubscriptionStatus, comes: SubscriptionStatus, when: When): SnapshotDecision {
  if (isTerminal(stored) && !isTerminal(comes)) return 'stale';
  if (isTerminal(comes) && !isTerminal(stored)) return 'apply';
  if (when === 'newer') return 'apply';
  if (when === 'older') return 'stale';
  return stored === comes ? 'stale' : 'needs_lookup';
}

const cells = subscriptionStatuses.flatMap((stored) =>
  subscriptionStatuses.flatMap((comes) =>
    (['older', 'tie', 'newer'] as const).map((when) => ({ stored, comes, when })),
  ),
);

function bare(status: SubscriptionStatus): Incoming {
  const incoming = incomingOf({ status, created: 1_100 });
  return { ...incoming, snapshot: { ...incoming.snapshot, items: [], areItemsComplete: false } };
}

describe('decideSnapshot', () => {
  it.each(cells)('$stored stored, $when $comes comes', ({ stored, comes, when }) => {
    const row = rowOf(incomingOf({ status: stored, created: 1_000 }));
    const verdict = decideSnapshot(row, incomingOf({ status: comes, created: createdOf[when] }));
    expect(verdict).toBe(expected(stored, comes, when));
  });

  it.each(subscriptionStatuses)('applies the first snapshot: %s', (status) => {
    expect(decideSnapshot(unknownSubscription('sub_1'), incomingOf({ status, created: 1 }))).toBe('apply');
  });

  it('asks again about a tie while the row is in doubt, even if it says the same', () => {
    const incoming = incomingOf({ status: 'active', created: 1_000 });
    expect(decideSnapshot({ ...rowOf(incoming), confirmed: false }, incoming)).toBe('needs_lookup');
  });

  it('does not ask again about what Stripe does not have', () => {
    const incoming = incomingOf({ status: 'active', created: 1_000 });
    const row = { ...rowOf(incoming), confirmed: false, missingInStripeAt: 5 };
    expect(decideSnapshot(row, incoming)).toBe('stale');
  });

  it('does not take a rendering without its items as it is, unless it is the end', () => {
    const row = rowOf(incomingOf({ status: 'active', created: 1_000 }));
    expect(decideSnapshot(row, bare('active'))).toBe('needs_lookup');
    expect(decideSnapshot(row, bare('canceled'))).toBe('apply');
  });
});
