import type { Life } from '../support/life.ts';

/** What is in force just after the last event: by the default policy, and by the strictest. */
export type Expected = { features: string[]; strict: string[] };

export type Story = {
  name: string;
  play: (life: Life) => Expected;
  /** The events alone do not tell it. */
  isToldByStripeAlone?: boolean;
};

export const always = (...features: string[]): Expected => ({ features, strict: features });
export const never: Expected = { features: [], strict: [] };
export const lenientOnly = (...features: string[]): Expected => ({ features, strict: [] });
