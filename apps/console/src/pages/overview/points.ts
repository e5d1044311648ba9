import type { SampleOut } from '@billing/domain';
import { groupBy } from '../../parts/group-by.ts';
import type { Point } from '../../parts/graph-type.ts';

/** A graph has no room for more. */
const mostPoints = 144;

type Slot = { at: number; samples: readonly SampleOut[] };

/**
 * Samples in slots of equal length, in the order of time: no sample is left out, however many there are. A slot without a sample is
 * there too, so that a graph has a gap where no worker ran.
 */
function slotsOf(samples: readonly SampleOut[], stepSeconds: number): Slot[] {
  const times = samples.map(({ at }) => Date.parse(at));
  const [first, last] = [times[0], times.at(-1)];
  if (first === undefined || last === undefined) return [];
  const stepMs = stepSeconds * 1_000;
  const lengthMs = stepMs * Math.max(1, Math.ceil((last - first) / stepMs / mostPoints));
  const slotOf = (at: number): number => Math.ceil(at / lengthMs);
  const inSlots = groupBy(samples, ({ at }) => slotOf(Date.parse(at)));
  return Array.from({ length: slotOf(last) - slotOf(first) + 1 }, (_, index) => {
    const slot = slotOf(first) + index;
    return { at: slot * lengthMs, samples: inSlots.get(slot) ?? [] };
  });
}

type Queue = SampleOut['queues'][number];

/** How a slot is called on the axis. */
type Options = { stepSeconds: number; label: (at: number) => string };

/** Of each queue the greatest value in each slot; none where nothing is known. */
export function queuePoints(
  samples: readonly SampleOut[],
  { stepSeconds, label }: Options,
  valueOf: (queue: Queue) => number,
): Point[] {
  return slotsOf(samples, stepSeconds).map(({ at, samples: own }) => {
    const byName = groupBy(
      own.flatMap(({ queues }) => queues),
      ({ name }) => name,
    );
    const values = [...byName].map(([name, queues]) => [name, Math.max(...queues.map(valueOf))] as const);
    return { at: label(at), ...Object.fromEntries(values) };
  });
}

type Outcome = keyof SampleOut['events'];

/** Events a minute of each slot, by outcome, to a hundredth: a single one in a slot is seen. */
export function eventPoints(
  samples: readonly SampleOut[],
  { stepSeconds, label }: Options,
  outcomes: readonly Outcome[],
): Point[] {
  return slotsOf(samples, stepSeconds).map(({ at, samples: own }) => {
    const minutes = (own.length * stepSeconds) / 60;
    const rateOf = (outcome: Outcome): number =>
      Math.round((own.reduce((sum, { events }) => sum + events[outcome], 0) / minutes) * 100) / 100;
    const rates = own.length === 0 ? [] : outcomes.map((outcome) => [outcome, rateOf(outcome)] as const);
    return { at: label(at), ...Object.fromEntries(rates) };
  });
}
