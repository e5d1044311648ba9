import type { Instant } from '../time.ts';
import type { Evaluation } from './evaluate.ts';

type Live = { id: string; since: Instant; prices: Set<string>; groups: Set<string> };

const ended = new Set<string | null>(['incomplete', 'incomplete_expired', 'canceled', null]);

const isOlder = (a: Live, b: Live): boolean => a.since < b.since || (a.since === b.since && a.id < b.id);

const hasCommon = (a: ReadonlySet<string>, b: ReadonlySet<string>): boolean =>
  [...a].some((one) => b.has(one));

/** The user's subscriptions that may still be charged; those that only a buyer's hint gives the user are none. */
function liveSubscriptions(evaluations: readonly Evaluation[]): Live[] {
  const live = new Map<string, Live>();
  for (const evaluation of evaluations) {
    if (evaluation.source !== 'subscription') continue;
    const { of, item } = evaluation;
    if (ended.has(of.status) || of.ownerSource === 'buyer_hint') continue;
    const since = of.startDate ?? Number.POSITIVE_INFINITY;
    const one = live.get(of.id) ?? { id: of.id, since, prices: new Set(), groups: new Set() };
    live.set(of.id, one);
    if (item === null) continue;
    one.prices.add(item.stripePriceId);
    if (typeof item.group === 'string') one.groups.add(item.group);
  }
  return [...live.values()];
}

/** Of the live subscriptions that share a price or a group with an older one of the user: the oldest of those, by their ids. */
export function findDuplicates(evaluations: readonly Evaluation[]): ReadonlyMap<string, string> {
  const live = liveSubscriptions(evaluations);
  return new Map(
    live.flatMap((one) => {
      const [first] = live
        .filter((other) => isOlder(other, one))
        .filter((other) => hasCommon(other.prices, one.prices) || hasCommon(other.groups, one.groups))
        .sort((a, b) => (isOlder(a, b) ? -1 : 1));
      return first === undefined ? [] : [[one.id, first.id] as const];
    }),
  );
}
