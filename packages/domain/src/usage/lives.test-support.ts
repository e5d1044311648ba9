import * as fc from 'fast-check';
import { aGrant, aPayment } from '../entitlements/sources.test-support.ts';
import { dayMs } from '../time.ts';
import type { Account } from './account.ts';
import { balanceOf } from './balance.ts';
import type { UsageCommand } from './commands.ts';
import type { CommandResult } from './decide-batch.ts';
import type { MeteredSettings } from './features.ts';
import type { MemoryStore } from './memory-store.test-support.ts';
import { foldEvent } from './usage-event.ts';
import { bucketKey, emptyUsageState } from './usage-state.ts';
import type { BucketState } from './usage-state.ts';
import { at, aUse, metered, packOf, subscriptionOf } from './usage.test-support.ts';
import type { Scene } from './usage.test-support.ts';

export const runs = { numRuns: Number(process.env['PROPERTY_RUNS'] ?? 60) };
export const start = at('2026-04-10');

export const settings: fc.Arbitrary<MeteredSettings> = fc
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
export const sources: fc.Arbitrary<Omit<Scene, 'now'>> = fc.record({
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

export const quantity = fc.integer({ min: 1, max: 12 });
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
export const anyCommand = fc.oneof(
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
export const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ commands: fc.array(anyCommand, { minLength: 1, maxLength: 4 }) }) },
    { weight: 2, arbitrary: fc.record({ hours: fc.constantFrom(1, 5, 24, 200) }) },
    { weight: 1, arbitrary: fc.record({ sources }) },
  ),
  { maxLength: 25 },
);

export function live(store: MemoryStore, step: Step): CommandResult[] {
  if ('commands' in step) return store.run(step.commands);
  if ('hours' in step) store.move({ now: store.now() + step.hours * 3_600_000 });
  else store.move(step.sources);
  return [];
}

/** What was used of each bucket, and the overage of it. */
export const usageOf = (buckets: readonly BucketState[]): Record<string, [number, number]> =>
  Object.fromEntries(
    buckets
      .filter((one) => one.used !== 0 || one.overage !== 0)
      .map((one): [string, [number, number]] => [bucketKey(one), [one.used, one.overage]])
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );

const heldOf = (buckets: readonly BucketState[]): Record<string, number> =>
  Object.fromEntries(buckets.filter((one) => one.held !== 0).map((one) => [bucketKey(one), one.held]));

/** Each, against what is stored: the rows of events and of open reservations. */
export function expectStored(store: MemoryStore): void {
  const { state } = store.account();
  const folded = store.events().reduce(foldEvent, emptyUsageState);
  expect(usageOf(state.buckets)).toEqual(usageOf(folded.buckets));
  const open = store.reservations().filter((one) => one.state === 'held');
  expect(state.openHolds).toBe(open.length);
  const held = new Map<string, number>();
  for (const part of open.flatMap((one) => one.parts))
    held.set(bucketKey(part), (held.get(bucketKey(part)) ?? 0) + part.quantity);
  expect(heldOf(state.buckets)).toEqual(Object.fromEntries(held));
  const soonest = Math.min(...open.map((one) => one.expiresAt));
  expect(open.length === 0 || (state.holdsDueAt ?? Infinity) <= soonest).toBe(true);
}

export function expectSound(account: Account): void {
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
