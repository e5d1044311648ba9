import * as fc from 'fast-check';
import { noItemPrice } from '../stripe/price.ts';
import { subscriptionStatuses } from '../stripe/subscription.ts';
import { incomingOf } from './snapshots.test-support.ts';
import { stepSnapshot } from './step-subscription.ts';
import type { StepContext } from './step-subscription.ts';
import { isTerminal, unknownSubscription } from './subscription-row.ts';
import type { Incoming, SubscriptionRow } from './subscription-row.ts';

const firstPeriodOf = (events: readonly Incoming[]): number =>
  Math.min(...events.flatMap(({ snapshot }) => snapshot.items.map((item) => item.firstPeriodStart ?? 0)));

const living = subscriptionStatuses.filter((status) => !isTerminal(status));

/** A life: snapshots in Stripe's order, several in one second, with or without an end. */
const history = fc
  .tuple(
    fc.array(
      fc.record({
        status: fc.constantFrom(...living),
        wait: fc.constantFrom(0, 0, 1, 2),
        cancelAtPeriodEnd: fc.boolean(),
        periodEnd: fc.constantFrom(2_000, 3_000),
      }),
      { minLength: 1, maxLength: 7 },
    ),
    fc.constantFrom(null, 'canceled' as const, 'incomplete_expired' as const),
  )
  .map(([lives, end]): Incoming[] => {
    let created = 1_000;
    const events = lives.map(({ status, wait, cancelAtPeriodEnd, periodEnd }, index) => {
      created += wait;
      return incomingOf({
        status,
        created,
        eventId: `evt_${index}`,
        cancelAtPeriodEnd,
        latestInvoiceId: 'in_1',
        items: [
          {
            itemId: 'si_1',
            stripePriceId: 'price_1',
            quantity: 1,
            currentPeriodStart: periodEnd - 2_000,
            currentPeriodEnd: periodEnd,
            firstPeriodStart: periodEnd - 2_000,
            ...noItemPrice,
          },
        ],
      });
    });
    if (end === null) return events;
    return [...events, incomingOf({ status: end, created, eventId: 'evt_end', endedAt: created })];
  });

const shuffledHistory = history.chain((events) =>
  fc.record({
    events: fc.constant(events),
    order: fc.shuffledSubarray(events, { minLength: events.length, maxLength: events.length }),
  }),
);

type StripeLookup = StepContext['lookup'];

function play(events: readonly Incoming[], lookup: StripeLookup): SubscriptionRow {
  let row = unknownSubscription('sub_1');
  for (const incoming of events) {
    let step = stepSnapshot(row, incoming, { lookup: null, now: 7 });
    if (step.kind === 'needs_lookup') step = stepSnapshot(row, incoming, { lookup, now: 7 });
    if (step.kind === 'needs_lookup') throw new Error('asked twice');
    row = step.row;
  }
  return row;
}

/** Which of the events of one second the row names does not matter: a lookup may name any of them. */
const compared = ({ snapshotEventId: _event, recheckAt: _recheck, ...row }: SubscriptionRow): object => row;

describe('the order of arrival does not matter', () => {
  it('for a subscription, Stripe in reach: it ends in Stripe’s state', () => {
    fc.assert(
      fc.property(shuffledHistory, ({ events, order }) => {
        const last = events.at(-1);
        if (last === undefined) return;
        const truth = { ...last.snapshot, latestInvoiceCreatedAt: 990 };
        const row = play(order, { kind: 'found', object: truth });
        expect(row).toMatchObject({
          status: truth.status,
          cancelAtPeriodEnd: truth.cancelAtPeriodEnd,
          // Stripe's, but for what only all events together say.
          items: truth.items.map((item) => ({ ...item, firstPeriodStart: firstPeriodOf(events) })),
          confirmed: true,
        });
        expect(row.pastDueSince).toBe(play(events, { kind: 'found', object: truth }).pastDueSince);
        expect(row.pastDueSince === null).toBe(truth.status !== 'past_due');
      }),
      { numRuns: Number(process.env['PROPERTY_RUNS'] ?? 2_000) },
    );
  });

  it.each(['unreachable', 'missing'] as const)('for a subscription, Stripe %s: one best state', (kind) => {
    fc.assert(
      fc.property(shuffledHistory, ({ events, order }) => {
        expect(compared(play(order, { kind }))).toEqual(compared(play(events, { kind })));
      }),
      { numRuns: Number(process.env['PROPERTY_RUNS'] ?? 2_000) },
    );
  });

  it('for the start of being past due, with no tie', () => {
    fc.assert(
      fc.property(shuffledHistory, ({ events, order }) => {
        const created = events.map((event) => event.created);
        fc.pre(new Set(created).size === created.length);
        expect(play(order, null).pastDueSince).toBe(play(events, null).pastDueSince);
      }),
      { numRuns: Number(process.env['PROPERTY_RUNS'] ?? 1_000) },
    );
  });
});
