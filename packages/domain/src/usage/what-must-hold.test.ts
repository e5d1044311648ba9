import * as fc from 'fast-check';
import { aGrant, aPayment } from '../entitlements/sources.test-support.ts';
import { dayMs } from '../time.ts';
import { currentBuckets } from './account.ts';
import type { Account } from './account.ts';
import { quantityOf } from './assess.ts';
import { balanceOf } from './balance.ts';
import { overageRoomOf } from './buckets.ts';
import type { CommandResult } from './decide-batch.ts';
import { checkUsage } from './check.ts';
import type { UsageCommand } from './commands.ts';
import type { MeteredSettings } from './features.ts';
import { createMemoryStore } from './memory-store.test-support.ts';
import type { MemoryStore } from './memory-store.test-support.ts';
import { foldEvent } from './usage-event.ts';
import { bucketKey, emptyUsageState } from './usage-state.ts';
import type { BucketState } from './usage-state.ts';
import {
  accountOf,
  aLimit,
  at,
  aUse,
  entitlementsUntil,
  metered,
  packOf,
  seats,
  subscriptionOf,
} from './usage.test-support.ts';
import type { Scene } from './usage.test-support.ts';

const runs = { numRuns: Number(process.env['PROPERTY_RUNS'] ?? 60) };
const start = at('2026-04-10');

const settings: fc.Arbitrary<MeteredSettings> = fc
  .record({
    allowance: fc.constantFrom(0, 5, 20, 20, 20, null),
    period: fc.constantFrom<MeteredSettings['period']>('billing', 'day', 'week', 'month', 'once'),
    anchor: fc.constantFrom<MeteredSettings['anchor']>('source', 'calendar'),
    overage: fc.constantFrom<MeteredSettings['overage']>('deny', 'allow'),
    overage_limit: fc.constantFrom(0, 7, null),
    rollover: fc.constantFrom(undefined, { periods: 1 }, { periods: 3, max: 25 }),
  })
  .map(({ rollover, ...fields }) =>
    metered(rollover === undefined || fields.period === 'once' ? fields : { ...fields, rollover }),
  );

/** What a user may have: subscriptions, packs (some taken back), grants. */
const sources: fc.Arbitrary<Omit<Scene, 'now'>> = fc.record({
  subscriptions: fc
    .array(settings, { maxLength: 2 })
    .map((all) =>
      all.map((one, index) => subscriptionOf(one, ['2026-04-10', '2026-05-10'], { id: `sub_${index}` })),
    ),
  purchases: fc.array(fc.boolean(), { maxLength: 2 }).map((all) =>
    all.map((isTaken, index) => ({
      ...packOf(metered({ period: 'once', allowance: 15 }), {
        id: `pi_${index}`,
        paid: '2026-04-10',
        days: 30,
      }),
      payment: aPayment(isTaken ? { amountRefunded: 1000 } : {}),
    })),
  ),
  grants: fc
    .array(fc.constantFrom(3, 10), { maxLength: 2 })
    .map((all) => all.map((amount, index) => aGrant({ id: `g_${index}`, validFrom: start, amount }))),
});

const quantity = fc.integer({ min: 1, max: 12 });
const id = fc.integer({ min: 0, max: 12 }).map((number) => `e${number}`);
const reservationId = fc.integer({ min: 0, max: 4 }).map((number) => `r${number}`);
const use = fc
  .record({ eventId: id, quantity, mode: fc.constantFrom<'enforce' | 'record'>('enforce', 'record') })
  .map((fields): UsageCommand => aUse(fields));
const correction = fc
  .record({ eventId: id.map((one) => `c${one}`), quantity, corrects: id })
  .map((fields): UsageCommand => aUse({ ...fields, quantity: -fields.quantity }));
const late = fc
  .record({ eventId: id, quantity, days: fc.integer({ min: 0, max: 20 }) })
  .map(({ days, ...fields }): UsageCommand =>
    aUse({ ...fields, mode: 'record', timestamp: start + days * dayMs }),
  );
const reserving: fc.Arbitrary<UsageCommand> = fc
  .record({
    reservationId,
    quantity,
    hours: fc.constantFrom(1, 30),
    onExpiry: fc.constantFrom<'release' | 'charge'>('release', 'charge'),
  })
  .map(({ hours, ...fields }) => ({ kind: 'reserve', ...fields, expiresInMs: hours * 3_600_000 }));
const confirming: fc.Arbitrary<UsageCommand> = fc
  .record({
    reservationId,
    quantity: fc.option(fc.integer({ min: 0, max: 15 }), { nil: null }),
    overrun: fc.constantFrom<'record' | 'deny'>('record', 'deny'),
  })
  .map((fields) => ({ kind: 'confirm', ...fields }));
const releasing: fc.Arbitrary<UsageCommand> = reservationId.map((one) => ({
  kind: 'release',
  reservationId: one,
}));
const adjusting: fc.Arbitrary<UsageCommand> = fc
  .record({
    eventId: id.map((one) => `a${one}`),
    quantity: fc.integer({ min: -5, max: 5 }).filter((one) => one !== 0),
  })
  .map((fields) => ({ kind: 'adjust', ...fields, reason: 'why' }));
const command = fc.oneof(
  { weight: 4, arbitrary: use },
  late,
  correction,
  { weight: 2, arbitrary: reserving },
  confirming,
  releasing,
  adjusting,
);

/** A step of a life: commands that come together, time that passes, or other sources. */
type Step = { commands: UsageCommand[] } | { hours: number } | { sources: Omit<Scene, 'now'> };
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ commands: fc.array(command, { minLength: 1, maxLength: 4 }) }) },
    { weight: 2, arbitrary: fc.record({ hours: fc.constantFrom(1, 5, 24, 200) }) },
    { weight: 1, arbitrary: fc.record({ sources }) },
  ),
  { maxLength: 25 },
);

function live(store: MemoryStore, step: Step): CommandResult[] {
  if ('commands' in step) return store.run(step.commands);
  if ('hours' in step) store.move({ now: store.now() + step.hours * 3_600_000 });
  else store.move(step.sources);
  return [];
}

const usageOf = (buckets: readonly BucketState[]): Record<string, [number, number]> =>
  Object.fromEntries(
    buckets
      .filter((one) => one.used !== 0 || one.overage !== 0)
      .map((one): [string, [number, number]] => [bucketKey(one), [one.used, one.overage]])
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );

const heldOf = (buckets: readonly BucketState[]): Record<string, number> =>
  Object.fromEntries(buckets.filter((one) => one.held !== 0).map((one) => [bucketKey(one), one.held]));

/** Each, against what is stored: the rows of events and of open reservations. */
function expectStored(store: MemoryStore): void {
  const { state } = store.account();
  const folded = store.events().reduce(foldEvent, emptyUsageState);
  expect(usageOf(state.buckets)).toEqual(usageOf(folded.buckets));
  const open = store.reservations().filter((one) => one.state === 'held');
  expect(state.openHolds).toBe(open.length);
  const held = new Map<string, number>();
  for (const part of open.flatMap((one) => one.parts))
    held.set(bucketKey(part), (held.get(bucketKey(part)) ?? 0) + part.quantity);
  expect(heldOf(state.buckets)).toEqual(Object.fromEntries(held));
  if (open.length > 0)
    expect(state.holdsDueAt).toBeLessThanOrEqual(Math.min(...open.map((one) => one.expiresAt)));
}

function expectSound(account: Account): void {
  const balance = balanceOf(account);
  for (const one of account.state.buckets) {
    expect([one.used >= 0, one.overage >= 0, one.held >= 0, one.overage <= one.used]).toEqual([
      true,
      true,
      true,
      true,
    ]);
  }
  expect(balance?.remaining ?? 0).toBeGreaterThanOrEqual(0);
  for (const bucket of balance?.buckets ?? []) expect(bucket.remaining ?? 0).toBeGreaterThanOrEqual(0);
}

describe('for any life of a user', () => {
  it('U2, U3, U5, U6, U7: states are folds of events, parts sum up, the sequence never falls, nothing is negative', () => {
    fc.assert(
      fc.property(sources, steps, (first, all) => {
        const store = createMemoryStore({ ...first, now: start });
        for (const step of all) {
          const before = store.account().state.usageSeq;
          for (const result of live(store, step)) expect(result.kind).not.toBe('failed');
          expect(store.account().state.usageSeq).toBeGreaterThanOrEqual(before);
          expectStored(store);
          expectSound(store.account());
        }
        for (const event of store.events()) expect(quantityOf(event.parts)).toBe(event.quantity);
        expect(new Set(store.events().map((one) => one.usageSeq)).size).toBe(store.events().length);
        for (const one of store.reservations())
          expect(quantityOf(one.parts)).toBe(one.confirmed?.quantity ?? one.quantity);
      }),
      runs,
    );
  });

  it('U1: what is enforced or held stays within what is granted and the limit of overage', () => {
    fc.assert(
      fc.property(sources, steps, (first, all) => {
        const store = createMemoryStore({ ...first, now: start });
        for (const step of all) {
          if (!('commands' in step)) {
            live(store, step);
            continue;
          }
          for (const one of step.commands) {
            // So that what is due is let go before, and the buckets are as the command finds them.
            store.run([{ kind: 'release', reservationId: 'none' }]);
            const buckets = currentBuckets(store.account());
            const room = buckets.reduce((sum, { free }) => sum + free, overageRoomOf(buckets));
            const [result] = store.run([one]);
            const isTaken =
              (one.kind === 'use' &&
                one.mode === 'enforce' &&
                one.corrects === null &&
                result?.kind === 'event' &&
                result.answer.recorded &&
                !result.answer.duplicate) ||
              (one.kind === 'reserve' && result?.kind === 'reservation' && result.answer.state === 'held');
            if (isTaken && 'quantity' in one) expect(one.quantity).toBeLessThanOrEqual(room);
            const is = currentBuckets(store.account());
            if (!isTaken) continue;
            for (const [index, bucket] of is.entries()) {
              const was = buckets.find((other) => bucketKey(other) === bucketKey(bucket)) ?? buckets[index];
              const isMore = bucket.used + bucket.held > (was?.used ?? 0) + (was?.held ?? 0);
              const limit = is.reduce(
                (sum, other) => sum + (other.allowsOverage ? (other.overageLimit ?? Infinity) : 0),
                0,
              );
              if (isMore)
                expect(bucket.used + bucket.held).toBeLessThanOrEqual((bucket.granted ?? Infinity) + limit);
            }
          }
        }
      }),
      runs,
    );
  });

  it('how commands are batched does not matter, nor that they are sent again', () => {
    const commands = fc.array(command, { maxLength: 20 });
    fc.assert(
      fc.property(sources, commands, fc.integer({ min: 1, max: 7 }), (first, all, size) => {
        const [joined, single] = [0, 1].map(() => createMemoryStore({ ...first, now: start + dayMs }));
        if (joined === undefined || single === undefined) return;
        const results = [];
        for (let from = 0; from < all.length; from += size)
          results.push(...joined.run(all.slice(from, from + size)));
        expect(results).toEqual(all.flatMap((one) => single.run([one])));
        expect(joined.account().state).toEqual(single.account().state);
        const known = new Set(joined.events().map((one) => one.eventId));
        const events = joined.events().length;
        joined.run(all.filter((one) => 'eventId' in one && known.has(one.eventId)));
        expect(joined.events().length).toBe(events);
      }),
      runs,
    );
  });

  it('U6: once every reservation is released, nothing is held and all is as without them', () => {
    fc.assert(
      fc.property(sources, fc.array(quantity, { maxLength: 5 }), quantity, (first, held, used) => {
        const scene = { ...first, now: start + dayMs };
        const [store, plain] = [createMemoryStore(scene), createMemoryStore(scene)];
        const ids = held.map((_one, index) => `r${index}`);
        for (const [index, one] of held.entries())
          store.run([
            {
              kind: 'reserve',
              reservationId: `r${index}`,
              quantity: one,
              expiresInMs: 1,
              onExpiry: 'release',
            },
          ]);
        // Half of them by the caller, half by the clock.
        store.run(ids.slice(0, 2).map((one) => ({ kind: 'release', reservationId: one })));
        store.move({ now: start + dayMs + 1 });
        for (const one of [store, plain]) one.run([aUse({ eventId: 'e', quantity: used })]);
        expect(balanceOf(store.account())).toEqual(balanceOf(plain.account()));
      }),
      runs,
    );
  });

  it('U4: a period’s end is obeyed by the clock alone', () => {
    fc.assert(
      fc.property(
        settings.filter((one) => one.period !== 'once'),
        quantity,
        (one, used) => {
          const subscriptions = [subscriptionOf(one, ['2026-04-10', '2026-05-10'])];
          const store = createMemoryStore({ subscriptions, now: start });
          store.run([aUse({ quantity: used, mode: 'record' })]);
          const [bucket] = currentBuckets(store.account());
          const end = bucket?.end ?? 0;
          store.move({ now: end - 1 });
          expect(currentBuckets(store.account())).toMatchObject([{ used, start: bucket?.start }]);
          store.move({ now: end });
          expect(currentBuckets(store.account())).toMatchObject([{ used: 0, held: 0, start: end }]);
        },
      ),
      runs,
    );
  });

  it('an answer stays as it is until `valid_until`', () => {
    fc.assert(
      fc.property(
        sources,
        fc.integer({ min: 0, max: 35 * 24 }),
        fc.double({ min: 0, max: 0.999_999, noNaN: true }),
        (first, hours, share) => {
          const answerAt = (now: number) =>
            checkUsage(accountOf({ ...first, now }), {
              projectId: 'p',
              required: 1,
              version: 1,
              entitlementsValidUntil: entitlementsUntil({ ...first, now }),
            });
          const now = start + hours * 3_600_000;
          const { as_of: _asOf, ...answer } = answerAt(now);
          const until = answer.valid_until === null ? now : Date.parse(answer.valid_until);
          expect(until).toBeGreaterThanOrEqual(now);
          const { as_of: _then, ...later } = answerAt(Math.floor(now + share * Math.max(0, until - 1 - now)));
          expect(later).toEqual(answer);
        },
      ),
      runs,
    );
  });
});

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
