import {
  deriveEntitlements,
  deriveEntitlementUsage,
  resolvePolicy,
  toEntitlementsAnswer,
  toldText,
  toToldList,
} from '@billing/domain';
import type {
  DerivedEntitlements,
  EntitlementsAnswer,
  EvaluationContext,
  Instant,
  ToldEntry,
  ToldState,
  UsageContext,
} from '@billing/domain';
import type { UserSources } from './read-sources.ts';
import type { UsageSettings } from './usage/usage-settings.ts';

/** What an answer depends on besides what is stored. */
export type DerivationSettings = Pick<UsageSettings, 'pastDueGraceDays' | 'renewalAllowanceMs'>;

export type DerivedAnswer = {
  answer: EntitlementsAnswer;
  /** When the answer changes by itself; null: never. */
  validUntil: Instant | null;
  derived: DerivedEntitlements;
  context: EvaluationContext & Omit<UsageContext, 'defaults'>;
};

type At = { projectId: string; asOf: Instant };

/** The answer of `GET /entitlements` about a user at a moment. */
export function deriveAnswer(
  read: UserSources,
  settings: DerivationSettings,
  { projectId, asOf }: At,
): DerivedAnswer {
  const context = {
    policy: resolvePolicy(read.policy, settings.pastDueGraceDays),
    now: asOf,
    renewalAllowanceMs: settings.renewalAllowanceMs,
    features: read.features,
  };
  const derived = deriveEntitlements(read.sources, context);
  const usage = deriveEntitlementUsage(derived, context);
  const version = read.userVersion + read.projectVersion;
  return {
    answer: toEntitlementsAnswer(derived, usage, { userId: read.userId, projectId, version, asOf }),
    validUntil: usage.validUntil,
    derived,
    context,
  };
}

/** An answer changes by usage windows, too, which are no change of the list: so many ends of them are looked past. */
const mostLookedPast = 5;

export type DerivedState = {
  answer: EntitlementsAnswer;
  /** What of it a project is told. */
  state: ToldState;
  /** What a user without any source has, by default products: only needed where nothing is known of a user. */
  initial: () => readonly ToldEntry[];
};

const noSources = { subscriptions: [], purchases: [], grants: [] };

function deriveInitial(read: UserSources, settings: DerivationSettings, at: At): ToldEntry[] {
  if ((read.sources.defaults ?? []).length === 0) return [];
  const bare = { ...read, sources: { ...read.sources, ...noSources } };
  return toToldList(deriveAnswer(bare, settings, at).answer.entitlements);
}

/** The answer at a moment, and when time alone may change what the project is told of it. */
export function deriveState(read: UserSources, settings: DerivationSettings, at: At): DerivedState {
  const { answer, validUntil } = deriveAnswer(read, settings, at);
  const list = toToldList(answer.entitlements);
  let nextChangeAt = validUntil;
  if (list.some(({ kind }) => kind === 'metered')) {
    const text = toldText(list);
    for (let count = 0; count < mostLookedPast && nextChangeAt !== null; count += 1) {
      const next = deriveAnswer(read, settings, { ...at, asOf: nextChangeAt });
      if (toldText(toToldList(next.answer.entitlements)) !== text) break;
      nextChangeAt = next.validUntil;
    }
  }
  const state = { version: answer.version, list, nextChangeAt };
  return { answer, state, initial: () => deriveInitial(read, settings, at) };
}
