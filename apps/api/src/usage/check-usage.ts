import { isAllowed, reasonFor, ServiceError, toTimestamp } from '@billing/domain';
import type { Clock } from '@billing/domain';
import {
  accountText,
  deriveSources,
  openedAccount,
  readSources,
  readStates,
  toCheckCopy,
} from '@billing/store';
import type {
  AccountKey,
  CheckCopy,
  Database,
  EntitlementCache,
  Usage,
  UsageLookUp,
  UserSources,
} from '@billing/store';
import type { ApiConfig } from '../config.ts';
import type { Admission } from '../entitlements/admit-misses.ts';
import type { CacheOutcome } from '../entitlements/answer-source.ts';
import { createReadRunner, toFreshAnswer } from '../entitlements/fresh-reads.ts';

export type Checked = { text: string; cache: CacheOutcome };

export type CheckRequest = { required: number; minUsageSeq?: number | undefined };

/** Checks of one project, in the order asked. */
export type CheckUsage = (keys: readonly AccountKey[], request: CheckRequest) => Promise<Checked[]>;

export type UsageReadDeps = {
  database: Pick<Database, '$queryJson'>;
  clock: Clock;
  cache: EntitlementCache;
  usage: Pick<Usage, 'cache'>;
  config: Pick<ApiConfig, 'pastDueGraceDays' | 'renewalAllowanceMs' | 'databasePoolSize'>;
  admission: Admission;
};

/** How often a read that proved to be older than something known is repeated. */
const maxReads = 3;

/** A finished answer. */
function toText({ steps, head, tail }: CheckCopy, required: number, now: number): string {
  const reason = reasonFor(steps, required);
  return `${head},"allowed":${isAllowed(reason)},"reason":"${reason}","required":${required},${tail},"checked_at":"${toTimestamp(now)}"}`;
}

type Asked = { key: AccountKey; lookUp: UsageLookUp };

const leastVersionOf = ({ entitlements }: UsageLookUp): number =>
  entitlements.state === 'hit' ? entitlements.version : entitlements.leastVersion;

const outcomeOf = ({ lookUp }: Asked): CacheOutcome => (lookUp.ticket === null ? 'bypass' : 'miss');

export function createUsageChecks(deps: UsageReadDeps): CheckUsage {
  const { database, clock, cache, usage, config } = deps;
  const run = createReadRunner(deps);

  /** Reads sources and states of what the cache does not have. */
  async function readOnce(asked: readonly Asked[]): Promise<(CheckCopy | null)[]> {
    const [first] = asked;
    if (first === undefined) return [];
    const { projectId } = first.key;
    const keys = asked.map(({ key }) => key);
    const userIds = [...new Set(keys.map(({ userId }) => userId))];
    const startedAt = clock();
    const [sources, states] = await run({ projectId, userIds }, () =>
      Promise.all([readSources(database, projectId, userIds), readStates(database, keys, startedAt)]),
    );
    const derived = new Map(
      [...sources].map(([userId, read]) => [userId, deriveSources(read, config, startedAt)] as const),
    );
    for (const { key, lookUp } of asked) keepEntitlements(lookUp, sources.get(key.userId), startedAt);
    return asked.map(({ key, lookUp }) => {
      const known = derived.get(key.userId);
      if (known === undefined) throw new Error('the project of a valid API key has no row');
      const account = openedAccount(known, key.featureCode, states.get(accountText(key)));
      const isOld =
        known.read.userVersion < leastVersionOf(lookUp) || account.state.usageSeq < lookUp.leastSeq;
      if (isOld) return null;
      const copied = { ...key, sources: known, account };
      if (account.state.usageSeq > 0) usage.cache.rememberAnswered(key, account.state.usageSeq);
      if (lookUp.ticket !== null) void usage.cache.fill(lookUp.ticket, copied);
      return toCheckCopy(copied);
    });
  }

  /** A copy of a balance is served together with the entitlements that it was derived from: both have to be there. */
  function keepEntitlements(lookUp: UsageLookUp, read: UserSources | undefined, asOf: number): void {
    if (lookUp.entitlements.state !== 'miss' || read === undefined) return;
    if (read.userVersion < lookUp.entitlements.leastVersion) return;
    const { projectId } = lookUp;
    void cache.fill(lookUp.entitlements.ticket, toFreshAnswer(deps, read, { projectId, asOf }));
  }

  async function readAll(asked: readonly Asked[]): Promise<CheckCopy[]> {
    const copies: (CheckCopy | null)[] = await readOnce(asked);
    for (let count = 2; copies.includes(null) && count <= maxReads; count += 1) {
      const old = asked.flatMap((one, at) => (copies[at] === null ? [{ one, at }] : []));
      const again = await readOnce(
        // The last answer stands: what was known may have been rolled back.
        old.map(({ one }) => (count < maxReads ? one : { ...one, lookUp: withoutLeast(one.lookUp) })),
      );
      old.forEach(({ at }, index) => (copies[at] = again[index] ?? null));
    }
    return copies.map((copy) => {
      if (copy === null) throw new ServiceError('service_unavailable', 'Try again in a moment.');
      return copy;
    });
  }

  return async (keys, { required, minUsageSeq = 0 }) => {
    const asked = await Promise.all(
      keys.map(async (key) => ({ key, lookUp: await usage.cache.lookUp(key) })),
    );
    const copyOf = ({ lookUp: { copy } }: Asked): CheckCopy | null =>
      copy !== null && copy.usageSeq >= minUsageSeq ? copy : null;
    const missing = asked.filter((one) => copyOf(one) === null);
    const read = new Map<Asked, CheckCopy>();
    const copies = missing.length === 0 ? [] : await readAll(missing);
    missing.forEach((one, at) => {
      const copy = copies[at];
      if (copy !== undefined) read.set(one, copy);
    });
    const now = clock();
    return asked.flatMap((one) => {
      const hit = copyOf(one);
      const copy = hit ?? read.get(one);
      if (copy === undefined) return [];
      return [{ text: toText(copy, required, now), cache: hit === null ? outcomeOf(one) : 'hit' } as const];
    });
  };
}

const withoutLeast = (lookUp: UsageLookUp): UsageLookUp => ({
  ...lookUp,
  leastSeq: 0,
  ticket: null,
  entitlements:
    lookUp.entitlements.state === 'hit'
      ? { state: 'unavailable', leastVersion: 0 }
      : { ...lookUp.entitlements, leastVersion: 0 },
});
