import { z } from 'zod';
import { defaultUsagePolicy, usagePolicyFields } from './usage/usage-policy.ts';

const allowOrDeny = z.enum(['allow', 'deny']);

const policyFields = {
  /** Days of access after a subscription became `past_due`. */
  past_due_grace_days: z.number().int().min(0).max(365),
  unpaid: allowOrDeny,
  paused: allowOrDeny,
  incomplete: allowOrDeny,
  /** An active subscription whose collection is paused (`pause_collection`). */
  pause_collection: allowOrDeny,
  /** The refunded share of the paid amount from which access ends; 1: only a full refund. */
  partial_refund_threshold: z.number().min(0).max(1),
  /** `hold`: an open dispute suspends access, a lost one ends it; `ignore`: disputes change nothing. */
  dispute: z.enum(['hold', 'ignore']),
  /**
   * Of what a user has only because the buyer typed the user's id (`client_reference_id`). `grant`: it grants;
   * `quarantine`: it grants nothing until a mapping, an assignment or metadata names the user.
   */
  accept_buyer_hints: z.enum(['grant', 'quarantine']),
  ...usagePolicyFields,
};

const policySchema = z.strictObject(policyFields);
export type AccessPolicy = z.output<typeof policySchema>;

/** What a project stores: only the fields that it overrides. Those of a newer version of the service are left out. */
export const policyOverrides = z.object(policyFields).partial();
export type PolicyOverrides = z.output<typeof policyOverrides>;

/** What `PATCH` accepts: `null` resets a field to its default. */
export const policyPatch = z
  .strictObject({
    past_due_grace_days: policyFields.past_due_grace_days.nullable(),
    unpaid: policyFields.unpaid.nullable(),
    paused: policyFields.paused.nullable(),
    incomplete: policyFields.incomplete.nullable(),
    pause_collection: policyFields.pause_collection.nullable(),
    partial_refund_threshold: policyFields.partial_refund_threshold.nullable(),
    dispute: policyFields.dispute.nullable(),
    accept_buyer_hints: policyFields.accept_buyer_hints.nullable(),
    past_due_allowance: policyFields.past_due_allowance.nullable(),
    usage_timezone: policyFields.usage_timezone.nullable(),
  })
  .partial();
export type PolicyPatch = z.output<typeof policyPatch>;

export const defaultPolicy: AccessPolicy = {
  past_due_grace_days: 7,
  unpaid: 'deny',
  paused: 'deny',
  incomplete: 'deny',
  pause_collection: 'allow',
  partial_refund_threshold: 1,
  dispute: 'hold',
  accept_buyer_hints: 'grant',
  ...defaultUsagePolicy,
};

/** The policy in force: the defaults (`PAST_DUE_GRACE_DAYS` among them), overridden by the project. */
export function resolvePolicy(overrides: PolicyOverrides, pastDueGraceDays: number): AccessPolicy {
  const defaults = { ...defaultPolicy, past_due_grace_days: pastDueGraceDays };
  return policySchema.parse({ ...defaults, ...policyOverrides.parse(overrides) });
}

/** The overrides after a `PATCH`: absent fields stay, fields that are `null` are removed. */
export function patchPolicy(overrides: PolicyOverrides, patch: PolicyPatch): PolicyOverrides {
  const merged = Object.entries({ ...overrides, ...patch }).filter(
    ([, value]) => value !== null && value !== undefined,
  );
  return policyOverrides.parse(Object.fromEntries(merged));
}
