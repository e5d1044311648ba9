import * as fc from 'fast-check';
import { dayMs } from '../time.ts';
import { currentBuckets } from './account.ts';
import { quantityOf } from './assess.ts';
import { balanceOf } from './balance.ts';
import { overageLimitOf, overageRoomOf } from './buckets.ts';
import { checkUsage } from './check.ts';
import type { UsageCommand } from './commands.ts';
import type { CommandResult } from './decide-batch.ts';
import {
  anyCommand,
  expectSound,
  expectStored,
  live,
  quantity,
  runs,
  settings,
  sources,
  start,
  steps,
} from './lives.test-support.ts';
import { createMemoryStore } from './memory-store.test-support.ts';
import type { MemoryStore } from './memory-store.test-support.ts';
import { bucketKey, findBucket } from './usage-state.ts';
import { accountOf, aUse, entitlementsUntil, subscriptionOf } from './usage.test-support.ts';

/** Whether an enforced quantity was taken or held. */
const isTaken = (command: UsageCommand, result: CommandResult | undefined): boolean =>
  (command.kind === 'use' &&
    command.mode === 'enforce' &&
    command.corrects === null &&
    result?.kind === 'event' &&
    result.answer.recorded &&
    !result.answer.duplicate) ||
  (command.kind === 'reserve' && result?.kind === 'reservation' && result.answer.state === 'held');

/** Runs the command; the buckets that it took from beyond their worth and the limit of overage, and what was beyond. */
function oversoldBy(store: MemoryStore, command: UsageCommand): string[] {
  // So that what is due is let go before, and the buckets are as the command finds them.
  store.run([{ kind: 'release', reservationId: 'none' }]);
  const before = currentBuckets(store.account());
  const room = before.reduce((sum, { free }) => sum + free, overageRoomOf(before));
  const { usageSeq } = store.account().state;
  const [result] = store.run([command]);
  // The same again takes nothing.
  if (!isTaken(command, result) || store.account().state.usageSeq === usageSeq) return [];
  const after = currentBuckets(store.account());
  const limit = overageLimitOf(after) ?? Infinity;
  const beyond = after.filter((one) => {
    const was = findBucket(before, one);
    const isMore = one.used + one.held > (was?.used ?? 0) + (was?.held ?? 0);
    // What was recorded beyond all allowances stays apart: it is not taken off what becomes free later.
    return isMore && one.used - one.overage + one.held > (one.granted ?? Infinity) + limit;
  });
  const isBeyondRoom = 'quantity' in command && (command.quantity ?? 0) > room;
  return [...beyond.map(bucketKey), ...(isBeyondRoom ? [`${command.quantity} of ${room}`] : [])];
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
        const oversold = all.flatMap((step) => {
          if ('commands' in step) return step.commands.flatMap((one) => oversoldBy(store, one));
          live(store, step);
          return [];
        });
        expect(oversold).toEqual([]);
      }),
      runs,
    );
  });

  it('how commands are batched does not matter, nor that they are sent again', () => {
    const commands = fc.array(anyCommand, { maxLength: 20 });
    fc.assert(
      fc.property(sources, commands, fc.integer({ min: 1, max: 7 }), (first, all, size) => {
        const [joined, single] = [0, 1].map(() => createMemoryStore({ ...first, now: start + dayMs }));
        if (joined === undefined || single === undefined) return;
        const results = [];
        for (let from = 0; from < all.length; from += size)
          results.push(...joined.run(all.slice(from, from + size)));
        expect(results).toEqual(all.flatMap((each) => single.run([each])));
        // By when a reservation is due is only known as a bound, which is made exact when it was read.
        const [one, other] = [joined, single].map((store) => ({
          ...store.account().state,
          holdsDueAt: null,
        }));
        expect(one).toEqual(other);
        const known = new Set(joined.events().map((event) => event.eventId));
        const events = joined.events().length;
        joined.run(all.filter((each) => 'eventId' in each && known.has(each.eventId)));
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
          const end = bucket?.terms.end ?? 0;
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
