import { isAllowed, reasonFor, toTimestamp } from '@billing/domain';
import type { Instant } from '@billing/domain';
import type { AccountKey, CheckCopy } from '@billing/store';
import type { CacheOutcome } from '../entitlements/answer-source.ts';
import { withinDeadline } from '../entitlements/fresh-reads.ts';
import { createCheckReads } from './read-checks.ts';
import type { Missing, UsageReadDeps } from './read-checks.ts';

/** A check before it is sent: `checkText` makes its text. */
export type Checked = { copy: CheckCopy; required: number; cache: CacheOutcome };

export type CheckRequest = { required: number; minUsageSeq?: number | undefined };

/** Checks of one project. */
export type CheckUsage = {
  /** Within its time. Promises are what a hit costs most: the fewer, the better. */
  one: (key: AccountKey, request: CheckRequest, endsAt: number) => Promise<Checked>;
  /** In the order asked; the caller limits the time. */
  many: (keys: readonly AccountKey[], request: CheckRequest) => Promise<Checked[]>;
};

/** A finished answer, with the moment of the check. */
export function checkText({ copy: { steps, head, tail }, required }: Checked, now: Instant): string {
  const reason = reasonFor(steps, required);
  return `${head},"allowed":${isAllowed(reason)},"reason":"${reason}","required":${required},${tail},"checked_at":"${toTimestamp(now)}"}`;
}

/** The copy that the cache has, if it may be served and is as new as is asked. */
const hitOf = ({ lookUp: { copy } }: Missing, { required, minUsageSeq = 0 }: CheckRequest): Checked | null =>
  copy !== null && copy.usageSeq >= minUsageSeq ? { copy, required, cache: 'hit' } : null;

const outcomeOf = ({ lookUp }: Missing): CacheOutcome => (lookUp.ticket === null ? 'bypass' : 'miss');

export function createUsageChecks(deps: UsageReadDeps): CheckUsage {
  const { cache } = deps.usage;
  const reads = createCheckReads(deps);

  async function afterMiss(missing: Missing, { required, minUsageSeq = 0 }: CheckRequest): Promise<Checked> {
    const copy = await reads.one(missing, minUsageSeq);
    return { copy, required, cache: outcomeOf(missing) };
  }

  return {
    one: (key, request, endsAt) =>
      cache.lookUp(key).then((lookUp) => {
        const asked = { key, lookUp };
        return hitOf(asked, request) ?? withinDeadline(afterMiss(asked, request), endsAt);
      }),

    async many(keys, request) {
      const asked = await Promise.all(keys.map(async (key) => ({ key, lookUp: await cache.lookUp(key) })));
      const hits = asked.map((one) => hitOf(one, request));
      const missing = asked.filter((_one, at) => hits[at] === null);
      const copies = missing.length === 0 ? [] : await reads.many(missing);
      const read = new Map(missing.map((one, at) => [one, copies[at]]));
      return asked.flatMap((one, at): Checked[] => {
        const hit = hits[at] ?? null;
        if (hit !== null) return [hit];
        const copy = read.get(one);
        return copy === undefined ? [] : [{ copy, required: request.required, cache: outcomeOf(one) }];
      });
    },
  };
}
