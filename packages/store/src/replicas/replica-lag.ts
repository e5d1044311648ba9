import type { Instant } from '@billing/domain';

/** Where the primary stood: all that was committed before `at` is at most at `position` of its log. */
export type PrimarySample = { at: Instant; position: bigint; timeline: number };

/** What a replica has replayed. */
export type ReplicaPosition = { position: bigint; timeline: number };

const kept = 600;

/**
 * The samples with a new one. What was seen before another server became primary, or before the log went back, says nothing
 * of what comes.
 */
export function addSample(samples: readonly PrimarySample[], sample: PrimarySample): PrimarySample[] {
  const last = samples.at(-1);
  const follows = last !== undefined && last.timeline === sample.timeline && last.position <= sample.position;
  return follows ? [...samples.slice(1 - kept), sample] : [sample];
}

/**
 * The moment up to which a replica has every change, as far as the samples tell; null: not known. A primary at which nothing
 * happens stays where it is, so a replica that has replayed that is as of now. One on another timeline may have what
 * the primary lost.
 */
export function dataAsOf(samples: readonly PrimarySample[], replica: ReplicaPosition): Instant | null {
  const reached = samples.findLast(
    ({ position, timeline }) => timeline === replica.timeline && position <= replica.position,
  );
  return reached?.at ?? null;
}
