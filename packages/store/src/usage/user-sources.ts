import { defaultsInForce, deriveEntitlements, offerOf, resolvePolicy } from '@billing/domain';
import type { Account, DerivedEntitlements, Instant, UsageOffer, UsageState } from '@billing/domain';
import type { UserSources } from '../read-sources.ts';
import type { UsageSettings } from './usage-settings.ts';

type DerivationSettings = Pick<UsageSettings, 'pastDueGraceDays' | 'renewalAllowanceMs'>;

/** What a user's sources say at one moment. */
export type DerivedSources = {
  read: UserSources;
  derived: DerivedEntitlements;
  /** Of user and project. */
  version: number;
  offerOf: (featureCode: string) => UsageOffer;
};

/** Evaluates all sources of a user once, for any number of features. */
export function deriveSources(read: UserSources, settings: DerivationSettings, now: Instant): DerivedSources {
  const policy = resolvePolicy(read.policy, settings.pastDueGraceDays);
  const { renewalAllowanceMs } = settings;
  const derived = deriveEntitlements(read.sources, { policy, now, renewalAllowanceMs });
  const defaults = defaultsInForce(derived.evaluations);
  const context = { policy, now, renewalAllowanceMs, features: read.features, defaults };
  return {
    read,
    derived,
    version: read.userVersion + read.projectVersion,
    offerOf: (featureCode) => offerOf(derived.evaluations, featureCode, context),
  };
}

export const accountOf = (sources: DerivedSources, featureCode: string, state: UsageState): Account => ({
  userId: sources.read.userId,
  offer: sources.offerOf(featureCode),
  state,
});
