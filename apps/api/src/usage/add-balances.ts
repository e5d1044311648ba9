import { checkOut } from '@billing/domain';
import type { Clock, EntitlementsAnswer } from '@billing/domain';
import type { Answered, CacheOutcome } from '../entitlements/answer-source.ts';
import { checkText } from './check-usage.ts';
import type { CheckUsage } from './check-usage.ts';

const worse = (a: CacheOutcome, b: CacheOutcome): CacheOutcome => {
  if (a === 'bypass' || b === 'bypass') return 'bypass';
  return a === 'miss' || b === 'miss' ? 'miss' : 'hit';
};

/** The answer with the balances of its metered features and counted limits. */
export async function addBalances(
  { checkUsage, clock }: { checkUsage: CheckUsage; clock: Clock },
  { answer, cache }: Answered,
): Promise<Answered> {
  const whole: EntitlementsAnswer = JSON.parse(`${answer}}`);
  const { project_id: projectId, user_id: userId, entitlements } = whole;
  const counted = entitlements.filter(({ kind }) => kind === 'metered' || kind === 'limit');
  const checked = await checkUsage.many(
    counted.map(({ feature_code: featureCode }) => ({ projectId, userId, featureCode })),
    { required: 1 },
  );
  const now = clock();
  const balances = new Map(
    checked.map((one) => {
      const { feature_code: code, balance } = checkOut.parse(JSON.parse(checkText(one, now)));
      return [code, balance];
    }),
  );
  const withBalances = entitlements.map((entry) => {
    const balance = balances.get(entry.feature_code) ?? null;
    return balance === null ? entry : { ...entry, balance };
  });
  return {
    answer: JSON.stringify({ ...whole, entitlements: withBalances }).slice(0, -1),
    cache: checked.reduce((worst, one) => worse(worst, one.cache), cache),
  };
}
