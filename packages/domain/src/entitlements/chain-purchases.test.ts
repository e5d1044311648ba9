import * as fc from 'fast-check';
import { dayMs, lastInstant } from '../time.ts';
import { chainPurchases } from './chain-purchases.ts';
import { evaluatePurchases } from './evaluate.ts';
import { aBoughtItem, aPayment, aPurchase, contextOf, now } from './sources.test-support.ts';
import type { PurchaseSource } from './sources.ts';

const day = (count: number): number => now + count * dayMs;

type Pass = { paid: number; days?: number | null; quantity?: number; product?: string; id?: string };

const aPass = ({ paid, days = 30, quantity = 1, product = 'pass', id }: Pass): PurchaseSource =>
  aPurchase({
    id: id ?? `pi_${product}_${paid}`,
    paidAt: day(paid),
    items: [
      aBoughtItem({ stripePriceId: `price_${product}`, productId: product, accessDays: days, quantity }),
    ],
  });

/** The day on which each ends; null: in no chain. */
const endsOf = (purchases: readonly PurchaseSource[]): (number | null)[] => {
  const ends = chainPurchases(purchases);
  return purchases.flatMap(({ items }) =>
    items.map((item) => {
      const end = ends.get(item);
      return end === undefined ? null : (end - now) / dayMs;
    }),
  );
};

describe('purchases of one product follow each other', () => {
  it.each<[string, Pass[], (number | null)[]]>([
    ['one', [{ paid: 0 }], [30]],
    ['two 30-day passes bought on days 0 and 10 end on day 60', [{ paid: 0 }, { paid: 10 }], [60, 60]],
    ['the rows in the other order', [{ paid: 10 }, { paid: 0 }], [60, 60]],
    [
      'two of one moment',
      [
        { paid: 0, id: 'pi_a' },
        { paid: 0, id: 'pi_b' },
      ],
      [60, 60],
    ],
    ['a quantity of two', [{ paid: 0, quantity: 2 }], [60]],
    ['a quantity of none', [{ paid: 0, quantity: 0 }, { paid: 10 }], [null, 40]],
    ['bought at the end of the one before', [{ paid: 0 }, { paid: 30 }], [60, 60]],
    ['a gap begins anew', [{ paid: 0 }, { paid: 31 }], [30, 61]],
    ['a gap after two', [{ paid: 0 }, { paid: 10 }, { paid: 61 }, { paid: 62 }], [60, 60, 121, 121]],
    ['of two products', [{ paid: 0 }, { paid: 10, product: 'other' }, { paid: 20 }], [60, 40, 60]],
    ['of different length', [{ paid: 0 }, { paid: 5, days: 365 }, { paid: 9, days: 1 }], [396, 396, 396]],
    ['for ever', [{ paid: 0, days: null }, { paid: 10 }], [null, 40]],
  ])('%s', (_what, passes, ends) => {
    expect(endsOf(passes.map(aPass))).toEqual(ends);
  });

  it('also two prices of one product in one purchase', () => {
    const items = [
      aBoughtItem({ stripePriceId: 'price_month', accessDays: 30 }),
      aBoughtItem({ stripePriceId: 'price_week', accessDays: 7, quantity: 2 }),
    ];
    expect(endsOf([aPurchase({ paidAt: now, items })])).toEqual([44, 44]);
  });

  it('never leads beyond what a timestamp can say', () => {
    const [item] = [aBoughtItem({ accessDays: 36_500, quantity: Number.MAX_SAFE_INTEGER })];
    expect(chainPurchases([aPurchase({ items: [item] })]).get(item)).toBe(lastInstant);
  });
});

describe('what was taken back takes its days out of the chain', () => {
  const [first, second] = [aPass({ paid: 0, id: 'pi_1' }), aPass({ paid: 10, id: 'pi_2' })];
  const later = contextOf({}, day(20));
  const seen = (purchases: PurchaseSource[], context = later) =>
    evaluatePurchases(purchases, context).map(({ sourceId, reason, validTo }) => [
      sourceId,
      reason,
      validTo === null ? null : (validTo - now) / dayMs,
    ]);

  it.each<[string, Partial<ReturnType<typeof aPayment>>, string, number]>([
    ['refunded', { amountRefunded: 1000 }, 'refunded', 30],
    ['a part refunded', { amountRefunded: 500 }, 'in_force', 60],
    ['an open dispute', { disputeStatus: 'needs_response' }, 'disputed', 30],
    ['a dispute that was won', { disputeStatus: 'won' }, 'in_force', 60],
    ['a dispute that was lost', { disputeStatus: 'lost' }, 'disputed', 30],
  ])('%s', (_what, payment, reason, end) => {
    expect(seen([first, { ...second, payment: aPayment(payment) }])).toEqual([
      ['pi_1', 'in_force', end],
      ['pi_2', reason, reason === 'in_force' ? 60 : 40],
    ]);
  });

  it('the later pass keeps its own days where the earlier one is refunded', () => {
    expect(seen([{ ...first, payment: aPayment({ amountRefunded: 1000 }) }, second])).toEqual([
      ['pi_1', 'refunded', 30],
      ['pi_2', 'in_force', 40],
    ]);
  });

  it('one that is not paid yet adds nothing', () => {
    expect(seen([first, { ...second, status: 'pending', paidAt: null }])).toEqual([
      ['pi_1', 'in_force', 30],
      ['pi_2', 'payment_pending', null],
    ]);
  });

  it('all are in force from their payment to the end of the chain, to the millisecond', () => {
    const at = (now_: number) => seen([first, second], contextOf({}, now_)).map(([, reason]) => reason);
    expect(at(day(60) - 1)).toEqual(['in_force', 'in_force']);
    expect(at(day(60))).toEqual(['period_over', 'period_over']);
  });
});

const passes = fc.uniqueArray(
  fc.record({
    paid: fc.integer({ min: 0, max: 120 }),
    days: fc.constantFrom(1, 7, 30),
    quantity: fc.integer({ min: 1, max: 3 }),
    product: fc.constantFrom('one', 'other'),
    id: fc.string({ minLength: 1, maxLength: 3 }),
  }),
  { minLength: 1, maxLength: 8, selector: ({ id }) => id },
);
const byId = (purchases: readonly PurchaseSource[]) => {
  const ends = chainPurchases(purchases);
  return new Map(purchases.flatMap(({ id, items }) => items.map((item) => [id, ends.get(item)])));
};
const runs = { numRuns: Number(process.env['PROPERTY_RUNS'] ?? 1_000) };

describe('for any purchases', () => {
  it('the order of rows does not matter', () => {
    fc.assert(
      fc.property(
        passes.chain((all) =>
          fc.tuple(
            fc.constant(all),
            fc.shuffledSubarray(all, { minLength: all.length, maxLength: all.length }),
          ),
        ),
        ([all, shuffled]) => {
          const ends = byId(all.map(aPass));
          for (const [id, end] of byId(shuffled.map(aPass))) expect(end).toBe(ends.get(id));
        },
      ),
      runs,
    );
  });

  it('taking one back only takes from its own product, and never what another gives by itself', () => {
    fc.assert(
      fc.property(passes, fc.nat(), (all, pick) => {
        const taken = all[pick % all.length];
        if (taken === undefined) return;
        const rest = all.filter((one) => one !== taken);
        const [before, after] = [byId(all.map(aPass)), byId(rest.map(aPass))];
        for (const one of rest) {
          const [was, is] = [before.get(one.id) ?? 0, after.get(one.id) ?? 0];
          expect(was - is).toBeGreaterThanOrEqual(0);
          expect(one.product === taken.product || is === was).toBe(true);
          // Its own days from its own payment stay, whatever else is taken back.
          expect(is).toBeGreaterThanOrEqual(day(one.paid) + one.days * one.quantity * dayMs);
        }
      }),
      runs,
    );
  });

  it('taking back one that is not the first of its chain takes exactly its days, while the rest stay one chain', () => {
    fc.assert(
      fc.property(passes, fc.nat(), (all, pick) => {
        const chained = all.map((one) => ({ ...one, product: 'one' }));
        const [head, ...later] = chained.toSorted((a, b) => a.paid - b.paid);
        const taken = later[pick % Math.max(1, later.length)];
        fc.pre(head !== undefined && taken !== undefined);
        const [before, after] = [
          byId(chained.map(aPass)),
          byId(chained.filter((one) => one !== taken).map(aPass)),
        ];
        fc.pre(new Set(before.values()).size === 1 && new Set(after.values()).size === 1);
        const takenMs = (taken?.days ?? 0) * (taken?.quantity ?? 0) * dayMs;
        expect([...after.values()][0]).toBe(([...before.values()][0] ?? 0) - takenMs);
      }),
      runs,
    );
  });
});
