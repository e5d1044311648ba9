import { dayMs, handledEventTypes } from '@billing/domain';
import type { Instant } from '@billing/domain';
import { z } from 'zod';

/** Stripe takes up to 20 types a question. */
const typesPerQuestion = 20;

/** The handled types in as few questions as possible. */
export const typeGroups: readonly string[][] = Array.from(
  { length: Math.ceil(handledEventTypes.length / typesPerQuestion) },
  (_, index) => handledEventTypes.slice(index * typesPerQuestion, (index + 1) * typesPerQuestion),
);

/**
 * How far behind the newest event that was seen the next sweep begins: Stripe's list shows events late (about
 * a minute) and not in the order of their seconds.
 */
export const overlapMs = 5 * 60_000;

/** With a ledger but no place in the list (restored, or from before there were sweeps): all that Stripe keeps. */
const wholeListMs = 30 * dayMs;

/** A fresh installation: what happened before it is for reconcile, which needs no events. */
const freshStartMs = dayMs;

/** Where a sweep that was interrupted goes on: seconds as Stripe counts them. */
export const sweepState = z.object({
  from: z.number().int(),
  to: z.number().int(),
  group: z.number().int().min(0),
  after: z.string().nullable(),
  found: z.number().int().min(0),
});
export type SweepState = z.output<typeof sweepState>;

const seconds = (at: Instant): number => Math.floor(at / 1000);

/** From where to read, measured by the list's own newest event and never by our clock. */
export function beginSweep(options: {
  newest: number;
  sweptTo: Instant | null;
  isLedgerEmpty: boolean;
}): SweepState {
  const { newest, sweptTo, isLedgerEmpty } = options;
  const lookBackMs = isLedgerEmpty ? freshStartMs : wholeListMs;
  const from = sweptTo === null ? newest - seconds(lookBackMs) : seconds(sweptTo - overlapMs);
  return { from: Math.max(0, Math.min(from, newest)), to: newest, group: 0, after: null, found: 0 };
}
