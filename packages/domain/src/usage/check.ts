import type { CheckAnswer } from '../contracts/usage.ts';
import { earliest, toTimestamp, toTimestampOrNull } from '../time.ts';
import type { Instant } from '../time.ts';
import { currentBuckets } from './account.ts';
import type { Account, UsageOffer } from './account.ts';
import { assessLevel } from './assess.ts';
import { sumOf } from './amounts.ts';
import { balanceOf } from './balance.ts';
import { isUnlimited, overageRoomOf } from './buckets.ts';
import { isAllowed } from './reasons.ts';
import type { UsageReason } from './reasons.ts';

/** The reason for all quantities up to one, and beyond the one before; null: for all others. */
export type CheckStep = { upTo: number | null; reason: UsageReason };

function meteredSteps(account: Account): CheckStep[] {
  if (!account.offer.isEntitled) return [{ upTo: null, reason: 'not_entitled' }];
  const buckets = currentBuckets(account);
  if (isUnlimited(buckets)) return [{ upTo: null, reason: 'unlimited' }];
  const free = sumOf(buckets.map((one) => one.free));
  const room = overageRoomOf(buckets);
  const within = { upTo: free, reason: 'within_allowance' } as const;
  if (!Number.isFinite(room)) return [within, { upTo: null, reason: 'overage_allowed' }];
  return [
    within,
    { upTo: free + room, reason: 'overage_allowed' },
    { upTo: null, reason: 'insufficient_balance' },
  ];
}

function limitSteps(account: Account): CheckStep[] {
  const { limit, input } = account.offer;
  if (limit === null || limit.limit === null) return [{ upTo: null, reason: assessLevel(account, 0) }];
  const level = input.feature.counted ? account.state.level : 0;
  return [
    { upTo: Math.max(0, limit.limit - level), reason: 'within_limit' },
    { upTo: null, reason: 'limit_reached' },
  ];
}

/**
 * What a check says of every quantity, as steps in ascending order: a copy of a balance answers by them whatever is
 * required. The same as `enforce` says (`assessTake`, `assessLevel`).
 */
export function checkSteps(account: Account): CheckStep[] {
  const { kind } = account.offer.input.feature;
  if (kind === 'metered') return meteredSteps(account);
  if (kind === 'limit') return limitSteps(account);
  return [{ upTo: null, reason: account.offer.isEntitled ? 'in_force' : 'not_entitled' }];
}

/** The reason of the first step that reaches the quantity; the last one reaches all. */
export function reasonFor(steps: readonly CheckStep[], required: number): UsageReason {
  const step = steps.find(({ upTo }) => upTo === null || required <= upTo);
  if (step === undefined) throw new Error('the last step is for all other quantities');
  return step.reason;
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
  const reason = reasonFor(checkSteps(account), required);
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
