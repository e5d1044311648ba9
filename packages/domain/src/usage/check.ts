import type { CheckAnswer } from '../contracts/usage.ts';
import { earliest, toTimestamp, toTimestampOrNull } from '../time.ts';
import type { Instant } from '../time.ts';
import { currentBuckets } from './account.ts';
import type { Account, UsageOffer } from './account.ts';
import { assessLevel, assessTake } from './assess.ts';
import { balanceOf } from './balance.ts';
import { isAllowed } from './reasons.ts';
import type { UsageReason } from './reasons.ts';

function reasonOf(account: Account, required: number): UsageReason {
  const { feature } = account.offer.input;
  if (feature.kind === 'limit') return assessLevel(account, required);
  if (feature.kind === 'metered') return assessTake(account, currentBuckets(account), required).reason;
  return account.offer.isEntitled ? 'in_force' : 'not_entitled';
}

/** When what the sources offer changes by the clock: a period's end, a trial's, the end of a bucket. Null: never. */
export const offerChangesAt = ({ terms }: UsageOffer): Instant | null =>
  terms
    .flatMap(({ end, endsAt, changesAt }) => [end, endsAt, changesAt])
    .reduce<Instant | null>(earliest, null);

export type CheckContext = {
  projectId: string;
  required: number;
  /** Of user and project. */
  version: number;
  /** `validUntil` of the user's entitlements. */
  entitlementsValidUntil: Instant | null;
};

/** Whether the user may use so much of a feature now. Advice: only a decision takes. */
export function checkUsage(
  account: Account,
  { projectId, required, version, entitlementsValidUntil }: CheckContext,
): CheckAnswer {
  const { offer, state, userId } = account;
  const { feature, featureCode, now } = offer.input;
  const reason = reasonOf(account, required);
  const validUntil = [offerChangesAt(offer), state.holdsDueAt].reduce(earliest, entitlementsValidUntil);
  return {
    user_id: userId,
    project_id: projectId,
    feature_code: featureCode,
    kind: feature.kind,
    allowed: isAllowed(reason),
    reason,
    required,
    limit: offer.limit === null ? null : offer.limit.limit,
    value: offer.limit === null ? null : offer.limit.value,
    balance: balanceOf(account),
    version,
    usage_seq: state.usageSeq,
    as_of: toTimestamp(now),
    valid_until: toTimestampOrNull(validUntil),
  };
}
