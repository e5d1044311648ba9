import type { Instant } from '../time.ts';
import type { PeriodRule } from './period-rule.ts';
import type { BucketRef } from './usage-state.ts';

/** What a source gives for one period, before usage. */
export type BucketTerms = BucketRef & {
  end: Instant | null;
  /** From when on it cannot be burnt: its end, or an earlier one of its source that is known. Null: none. */
  endsAt: Instant | null;
  /** Whether another period follows. */
  renews: boolean;
  rule: PeriodRule;
  /** Of the period itself, by today's settings; null: unlimited. */
  allowance: number | null;
  /** The allowance is that of a trial. */
  isTrial: boolean;
  /** Past due, where the policy withholds what was not paid: worth 0 for now. */
  isWithheld: boolean;
  allowsOverage: boolean;
  /** 0 where overage is denied; null: no limit. */
  overageLimit: number | null;
  rollover: { periods: number; max: number | null } | null;
  /** Nothing is rolled over from periods that ended by then. */
  knownFrom: Instant;
  /** Of purchases: the payment; within a chain the earlier is burnt first. */
  paidAt: Instant;
  /** When the allowance changes within the period (a trial's end); null: never. */
  changesAt: Instant | null;
};
