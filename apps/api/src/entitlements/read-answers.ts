import { deriveEntitlements, resolvePolicy, toEntitlementsAnswer, toExplanationOut } from '@billing/domain';
import type { DerivedEntitlements, ExplanationOut, Instant } from '@billing/domain';
import { readSources } from '@billing/store';
import type { NewEntry, UserSources } from '@billing/store';
import type { AppDeps } from '../deps.ts';

export type ReadDeps = Pick<AppDeps, 'database' | 'clock' | 'config'>;

/** An answer fresh from Postgres, in the form in which it is cached. */
export type FreshAnswer = NewEntry & { explanation: ExplanationOut[] };

function derive(deps: ReadDeps, read: UserSources, now: Instant): DerivedEntitlements {
  const policy = resolvePolicy(read.policy, deps.config.pastDueGraceDays);
  return deriveEntitlements(read.sources, {
    policy,
    now,
    renewalAllowanceMs: deps.config.renewalAllowanceMs,
  });
}

function toFreshAnswer(
  read: UserSources,
  derived: DerivedEntitlements,
  { projectId, asOf }: { projectId: string; asOf: Instant },
): FreshAnswer {
  const version = read.userVersion + read.projectVersion;
  const answer = toEntitlementsAnswer(derived, { userId: read.userId, projectId, version, asOf });
  return {
    projectId,
    userId: read.userId,
    isKnown: read.isKnown,
    userVersion: read.userVersion,
    validUntil: derived.validUntil,
    answer: JSON.stringify(answer).slice(0, -1),
    explanation: derived.evaluations.map(toExplanationOut),
  };
}

/** Reads and derives the answers of 1 to 100 users of one project: one statement. */
export async function readAnswers(
  deps: ReadDeps,
  projectId: string,
  userIds: readonly string[],
): Promise<Map<string, FreshAnswer>> {
  const read = await readSources(deps.database, projectId, userIds);
  const asOf = deps.clock();
  return new Map(
    [...read].map(([userId, sources]) => [
      userId,
      toFreshAnswer(sources, derive(deps, sources, asOf), { projectId, asOf }),
    ]),
  );
}
