import type { Evaluation, EvaluationContext, Reason, StoredEvaluation } from '../entitlements/evaluate.ts';
import type { DefaultSource } from '../entitlements/sources.ts';
import type { Instant } from '../time.ts';
import type { Feature } from './features.ts';
import type { UsagePolicy } from './usage-policy.ts';

/** What the entitlements of a user say, and what else usage of one feature depends on. */
export type UsageInput = {
  featureCode: string;
  feature: Feature;
  /** All of `deriveEntitlements`, in force or not. */
  evaluations: readonly Evaluation[];
  /** Those in force. */
  defaults: readonly DefaultSource[];
  policy: UsagePolicy;
} & Pick<EvaluationContext, 'now' | 'renewalAllowanceMs'>;

const ended: ReadonlySet<Reason> = new Set<Reason>(['canceled', 'period_over', 'past_due_grace_over']);

/** When a source that is not in force any more last was; null: not known, or it never counted. */
function endOfForce({ source, reason, validTo, of }: StoredEvaluation): Instant | null {
  if (source === 'manual' && reason === 'revoked') return of.revokedAt;
  return ended.has(reason) ? validTo : null;
}

/** Whether the source gave the feature at the moment: now, or (of usage that is heard late) before. */
function gaveAt(evaluation: StoredEvaluation, at: Instant, now: Instant): boolean {
  if (evaluation.inForce) return true;
  const end = endOfForce(evaluation);
  return at < now && end !== null && at < end;
}

/** The evaluations that grant the feature at the moment; what is everybody's is not among them. */
export const grantingAt = (input: UsageInput, at: Instant): StoredEvaluation[] =>
  input.evaluations.filter(
    (one): one is StoredEvaluation =>
      one.source !== 'default' && one.featureCodes.includes(input.featureCode) && gaveAt(one, at, input.now),
  );

export const defaultsOf = ({ defaults, featureCode }: UsageInput): DefaultSource[] =>
  defaults.filter((one) => one.featureCodes.includes(featureCode));

/** Whether the user has the feature now. */
export const isEntitled = (input: UsageInput): boolean =>
  grantingAt(input, input.now).length > 0 || defaultsOf(input).length > 0;
