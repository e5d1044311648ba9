import * as fc from 'fast-check';
import { dayMs } from '../time.ts';
import { quantity, runs, start, usageOf } from './lives.test-support.ts';
import { createMemoryStore } from './memory-store.test-support.ts';
import type { MemoryStore } from './memory-store.test-support.ts';
import { aLimit, aUse, metered, seats, subscriptionOf } from './usage.test-support.ts';
import type { Scene } from './usage.test-support.ts';

describe('the order of arrival does not matter', () => {
  const daily = {
    subscriptions: [subscriptionOf(metered({ period: 'day', allowance: 20 }), ['2026-04-10', '2026-05-10'])],
  };
  const scene: Scene = { ...daily, now: '2026-04-20T12:00Z' };
  const recorded = fc.uniqueArray(
    fc
      .record({
        eventId: fc.integer({ min: 0, max: 99 }).map((one) => `e${one}`),
        quantity,
        days: fc.integer({ min: 0, max: 10 }),
      })
      .map(({ days, ...fields }) => aUse({ ...fields, mode: 'record', timestamp: start + days * dayMs })),
    { selector: (one) => one.eventId, maxLength: 15 },
  );
  const shuffled = recorded.chain((all) =>
    // Each of them several times.
    fc.tuple(
      fc.constant(all),
      fc.shuffledSubarray([...all, ...all], { minLength: 2 * all.length, maxLength: 2 * all.length }),
    ),
  );

  it('of what is recorded, late and doubled', () => {
    fc.assert(
      fc.property(shuffled, ([all, order]) => {
        const [first, other] = [createMemoryStore(scene), createMemoryStore(scene)];
        first.run(all);
        for (const one of order) other.run([one]);
        expect(usageOf(other.account().state.buckets)).toEqual(usageOf(first.account().state.buckets));
        expect(other.account().state.usageSeq).toBe(all.length);
        expect(other.uncovered()).toBe(first.uncovered());
      }),
      runs,
    );
  });

  it('of corrections that come after what they correct: what is used is the same', () => {
    fc.assert(
      fc.property(shuffled, fc.array(quantity, { maxLength: 15 }), ([all, order], given) => {
        const corrections = given.flatMap((one, index) => {
          const original = all[index];
          return original === undefined || one > original.quantity
            ? []
            : [aUse({ eventId: `c${index}`, quantity: -one, corrects: original.eventId })];
        });
        const [first, other] = [createMemoryStore(scene), createMemoryStore(scene)];
        first.run([...all, ...corrections]);
        for (const one of order)
          other.run([one, ...corrections.filter(({ corrects }) => corrects === one.eventId)]);
        const used = (store: MemoryStore) =>
          store
            .account()
            .state.buckets.filter((one) => one.used !== 0)
            .map((one) => `${one.start} ${one.used}`)
            .sort();
        expect(used(other)).toEqual(used(first));
      }),
      runs,
    );
  });

  it('of levels that were observed', () => {
    const observed = fc.uniqueArray(fc.record({ level: fc.nat(9), minute: fc.nat(50) }), {
      selector: (one) => one.minute,
      minLength: 1,
      maxLength: 8,
    });
    const team: Scene = {
      subscriptions: [subscriptionOf(aLimit(), ['2026-04-10', '2026-05-10'])],
      feature: seats,
      now: '2026-04-20T12:00Z',
    };
    fc.assert(
      fc.property(
        observed.chain((all) => fc.shuffledSubarray(all, { minLength: all.length })),
        (order) => {
          const store = createMemoryStore(team);
          for (const { level, minute } of order)
            store.run([
              { kind: 'set_level', eventId: `l${minute}`, level, observedAt: start + minute * 60_000 },
            ]);
          const last = order.toSorted((a, b) => a.minute - b.minute).at(-1);
          expect(store.account().state.level).toBe(last?.level);
        },
      ),
      runs,
    );
  });
});
