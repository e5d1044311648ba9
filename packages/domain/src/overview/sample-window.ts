import { mostSamples, sampleHours, sampleSeconds } from '../contracts/admin/overview.ts';
import type { SamplesQuery } from '../contracts/admin/overview.ts';
import { hourMs, secondMs } from '../time.ts';
import type { Instant } from '../time.ts';

/** `from` counts, `to` does not; each answered sample stands for `stepSeconds`. */
export type SampleWindow = { from: Instant; to: Instant; stepSeconds: number };

/** The samples that are asked for: of what is kept, and no more than one answer may have. */
export function sampleWindow({ from, to }: SamplesQuery, now: Instant): SampleWindow {
  const end = Math.min(to ?? now, now);
  const start = Math.max(from ?? end - hourMs, now - sampleHours * hourMs);
  const taken = Math.max(0, end - start) / (sampleSeconds * secondMs);
  // The first step and the last are seldom whole ones.
  const together = Math.max(1, Math.ceil(taken / (mostSamples - 1)));
  return { from: start, to: end, stepSeconds: together * sampleSeconds };
}

/** The last moment at which a sample was due. */
export const sampleSlot = (now: Instant): Instant =>
  Math.floor(now / (sampleSeconds * secondMs)) * sampleSeconds * secondMs;
