import type { AccessPolicy } from '../policy.ts';
import { dayMs } from '../time.ts';
import { endOf, evaluateSubscription } from './evaluate-subscription.ts';
import type { Reason } from './evaluate.ts';
import {
  allowanceMs,
  anItem,
  aReversedPayment,
  aSubscription,
  contextOf,
  now,
  periodEnd,
  periodStart,
} from './sources.test-support.ts';
import type { SubscriptionSource } from './sources.ts';

type SubscriptionRow = [
  what: string,
  fields: Partial<SubscriptionSource>,
  policy: Partial<AccessPolicy>,
  reason: Reason,
  validTo: number | null,
];

const inForce: ReadonlySet<Reason> = new Set<Reason>(['in_force', 'past_due_in_grace']);
const quarantine: Partial<AccessPolicy> = { accept_buyer_hints: 'quarantine' };
const renewed = periodEnd + allowanceMs;
const tomorrow = now + dayMs;
const yesterday = now - dayMs;
const inAYear = now + 365 * dayMs;

describe('a subscription', () => {
  const rows: SubscriptionRow[] = [
    // Status × policy.
    ['active', { status: 'active' }, {}, 'in_force', renewed],
    ['trialing', { status: 'trialing' }, {}, 'in_force', renewed],
    ['incomplete', { status: 'incomplete' }, {}, 'incomplete', null],
    ['incomplete, allowed', { status: 'incomplete' }, { incomplete: 'allow' }, 'in_force', null],
    [
      'incomplete_expired',
      { status: 'incomplete_expired' },
      { incomplete: 'allow' },
      'incomplete_expired',
      null,
    ],
    ['unpaid', { status: 'unpaid' }, {}, 'unpaid', null],
    ['unpaid, allowed', { status: 'unpaid' }, { unpaid: 'allow' }, 'in_force', null],
    ['paused', { status: 'paused' }, {}, 'paused', null],
    ['paused, allowed', { status: 'paused' }, { paused: 'allow' }, 'in_force', null],
    ['canceled', { status: 'canceled', endedAt: yesterday }, {}, 'canceled', yesterday],
    ['canceled without an end', { status: 'canceled' }, {}, 'canceled', null],
    ['canceled, with a later end', { status: 'canceled', endedAt: tomorrow }, {}, 'canceled', tomorrow],
    ['not known yet', { status: null }, {}, 'state_unknown', null],
    ['collection paused', { collectionPaused: true }, {}, 'in_force', renewed],
    ['collection paused, denied', { collectionPaused: true }, { pause_collection: 'deny' }, 'paused', null],
    // Whose it is.
    ['a hint', { ownerSource: 'buyer_hint' }, {}, 'in_force', renewed],
    ['a hint, in quarantine', { ownerSource: 'buyer_hint' }, quarantine, 'buyer_hint', renewed],
    ['mapped', { ownerSource: 'mapping' }, quarantine, 'in_force', renewed],
    ['assigned', { ownerSource: 'assignment' }, quarantine, 'in_force', renewed],
    ['metadata', { ownerSource: 'metadata' }, quarantine, 'in_force', renewed],
    [
      'an unpaid hint, in quarantine',
      { ownerSource: 'buyer_hint', status: 'unpaid' },
      quarantine,
      'unpaid',
      null,
    ],
    // Grace.
    [
      'past_due a day',
      { status: 'past_due', pastDueSince: yesterday },
      {},
      'past_due_in_grace',
      yesterday + 7 * dayMs,
    ],
    [
      'past_due, last millisecond',
      { status: 'past_due', pastDueSince: now - 7 * dayMs + 1 },
      {},
      'past_due_in_grace',
      now + 1,
    ],
    [
      'past_due, to the millisecond',
      { status: 'past_due', pastDueSince: now - 7 * dayMs },
      {},
      'past_due_grace_over',
      now,
    ],
    [
      'past_due, no grace',
      { status: 'past_due', pastDueSince: now },
      { past_due_grace_days: 0 },
      'past_due_grace_over',
      now,
    ],
    [
      'past_due, longer grace',
      { status: 'past_due', pastDueSince: now - 8 * dayMs },
      { past_due_grace_days: 14 },
      'past_due_in_grace',
      now + 6 * dayMs,
    ],
    [
      'past_due, set to end sooner',
      { status: 'past_due', pastDueSince: yesterday, cancelAt: tomorrow },
      {},
      'past_due_in_grace',
      tomorrow,
    ],
    ['past_due, ended', { status: 'past_due', pastDueSince: yesterday, cancelAt: now }, {}, 'canceled', now],
    [
      'past_due since an unknown moment',
      { status: 'past_due' },
      { past_due_grace_days: 11 },
      'past_due_in_grace',
      periodStart + 11 * dayMs,
    ],
    [
      'past_due since an unknown moment, over',
      { status: 'past_due' },
      {},
      'past_due_grace_over',
      periodStart + 7 * dayMs,
    ],
    // Periods and ends.
    [
      'renewal awaited',
      { items: [anItem({ currentPeriodEnd: now - allowanceMs + 1 })] },
      {},
      'in_force',
      now + 1,
    ],
    [
      'renewal never came',
      { items: [anItem({ currentPeriodEnd: now - allowanceMs })] },
      {},
      'period_over',
      now,
    ],
    [
      'period not begun (test clock)',
      { items: [anItem({ currentPeriodStart: tomorrow })] },
      {},
      'in_force',
      renewed,
    ],
    [
      'no period',
      { items: [anItem({ currentPeriodStart: null, currentPeriodEnd: null })] },
      {},
      'in_force',
      null,
    ],
    ['ends with the period', { cancelAtPeriodEnd: true }, {}, 'in_force', periodEnd],
    ['portal cancellation', { cancelAt: periodEnd }, {}, 'in_force', periodEnd],
    ['both: cancel_at wins', { cancelAt: tomorrow, cancelAtPeriodEnd: true }, {}, 'in_force', tomorrow],
    ['set to end in a year, silent', { cancelAt: inAYear }, {}, 'in_force', renewed],
    [
      'set to end in a year, the first renewal never came',
      { cancelAt: inAYear, items: [anItem({ currentPeriodEnd: now - allowanceMs })] },
      {},
      'period_over',
      now,
    ],
    [
      'set to end in a year, silent for 200 days',
      { cancelAt: inAYear, items: [anItem({ currentPeriodEnd: now - 170 * dayMs })] },
      {},
      'period_over',
      now - 170 * dayMs + allowanceMs,
    ],
    [
      'set to end within the allowance after its period',
      { cancelAt: periodEnd + allowanceMs / 2 },
      {},
      'in_force',
      periodEnd + allowanceMs / 2,
    ],
    ['set to end after the allowance', { cancelAt: renewed + 1 }, {}, 'in_force', renewed],
    ['trial, set to end in a year', { status: 'trialing', cancelAt: inAYear }, {}, 'in_force', renewed],
    ['collection paused, in a year', { collectionPaused: true, cancelAt: inAYear }, {}, 'in_force', renewed],
    [
      'past_due, set to end in a year: the grace',
      { status: 'past_due', pastDueSince: yesterday, cancelAt: inAYear },
      {},
      'past_due_in_grace',
      yesterday + 7 * dayMs,
    ],
    // Access without payment, by policy: no renewal is awaited.
    [
      'paused, allowed, set to end in a year',
      { status: 'paused', cancelAt: inAYear },
      { paused: 'allow' },
      'in_force',
      inAYear,
    ],
    [
      'set to end in a year, no period',
      { cancelAt: inAYear, items: [anItem({ currentPeriodEnd: null })] },
      {},
      'in_force',
      inAYear,
    ],
    ['one millisecond before its end', { cancelAt: now + 1 }, {}, 'in_force', now + 1],
    ['at its end', { cancelAt: now }, {}, 'canceled', now],
    ['trial set to end', { status: 'trialing', cancelAt: tomorrow }, {}, 'in_force', tomorrow],
    ['ended, though called active', { endedAt: yesterday }, {}, 'canceled', yesterday],
    [
      'to end with an unknown period',
      { cancelAtPeriodEnd: true, items: [anItem({ currentPeriodEnd: null })] },
      {},
      'in_force',
      null,
    ],
    [
      'unpaid, allowed, at its end',
      { status: 'unpaid', cancelAt: now },
      { unpaid: 'allow' },
      'canceled',
      now,
    ],
    // Refunds and disputes.
    [
      'period refunded',
      { reversedPayments: [aReversedPayment({ amountRefunded: 1000 })] },
      {},
      'refunded',
      renewed,
    ],
    [
      'period disputed',
      { reversedPayments: [aReversedPayment({ disputeStatus: 'needs_response' })] },
      {},
      'disputed',
      renewed,
    ],
    [
      'dispute won',
      { reversedPayments: [aReversedPayment({ disputeStatus: 'won' })] },
      {},
      'in_force',
      renewed,
    ],
    [
      'refunded and over',
      { endedAt: yesterday, reversedPayments: [aReversedPayment({ amountRefunded: 1000 })] },
      {},
      'canceled',
      yesterday,
    ],
    // Catalog.
    ['unmapped price', { items: [anItem({ featureCodes: null })] }, {}, 'unmapped_price', renewed],
    [
      'unmapped price, unpaid',
      { status: 'unpaid', items: [anItem({ featureCodes: null })] },
      {},
      'unpaid',
      null,
    ],
    ['quantity 0', { items: [anItem({ quantity: 0 })] }, {}, 'quantity_zero', renewed],
    [
      'quantity 0, past due',
      { status: 'past_due', pastDueSince: yesterday, items: [anItem({ quantity: 0 })] },
      {},
      'quantity_zero',
      yesterday + 7 * dayMs,
    ],
    [
      'quantity 0, refunded',
      { reversedPayments: [aReversedPayment({ amountRefunded: 1000 })], items: [anItem({ quantity: 0 })] },
      {},
      'refunded',
      renewed,
    ],
    ['product without features', { items: [anItem({ featureCodes: [] })] }, {}, 'in_force', renewed],
    ['no items', { items: [] }, {}, 'unmapped_price', null],
  ];

  it.each(rows)('%s', (_what, fields, policy, ...[reason, validTo]) => {
    const [evaluation] = evaluateSubscription(aSubscription(fields), contextOf(policy));
    expect(evaluation).toMatchObject({
      reason,
      validTo,
      inForce: inForce.has(reason),
      source: 'subscription',
    });
  });

  it('evaluates each item by its own period', () => {
    const items = [
      anItem({ stripePriceId: 'monthly' }),
      anItem({ stripePriceId: 'yearly', currentPeriodEnd: periodEnd + 300 * dayMs, quantity: 4 }),
    ];
    expect(evaluateSubscription(aSubscription({ items }), contextOf())).toMatchObject([
      { stripePriceId: 'monthly', validTo: renewed, currentPeriodEnd: periodEnd, quantity: 1 },
      { stripePriceId: 'yearly', validTo: renewed + 300 * dayMs, quantity: 4 },
    ]);
  });

  it('ends all items with the earliest period where intervals are mixed', () => {
    const items = [anItem({ currentPeriodEnd: periodEnd + dayMs }), anItem()];
    expect(endOf(aSubscription({ cancelAtPeriodEnd: true, items }))).toBe(periodEnd);
  });

  it('names no price where there is no item', () => {
    expect(evaluateSubscription(aSubscription({ items: [], status: null }), contextOf())).toMatchObject([
      { reason: 'state_unknown', stripePriceId: null, featureCodes: [], status: 'unknown' },
    ]);
  });
});
