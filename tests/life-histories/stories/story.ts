import type { Life } from '../support/life.ts';

/** The features in force just after the last event: by the default policy, and by the strict one. */
export type Expected = { features: string[]; strict: string[] };

export type Story = {
  name: string;
  play: (life: Life) => Expected;
  /** True: the events are not enough, objects must be looked up at Stripe. */
  needsStripe?: boolean;
  /** True: what the end is depends on the order where Stripe answers 404, which it never does for what exists. */
  losesWithoutStripe?: boolean;
  /** True: its items have periods of their own, which versions before 2025-03-31 (basil) cannot render. */
  hasMixedIntervals?: boolean;
};

export const always = (...features: string[]): Expected => ({ features, strict: features });
export const never: Expected = { features: [], strict: [] };
export const lenientOnly = (...features: string[]): Expected => ({ features, strict: [] });
