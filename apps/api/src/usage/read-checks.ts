import { ServiceError } from '@billing/domain';
import type { Clock } from '@billing/domain';
import {
  accountText,
  deriveSources,
  openAccounts,
  readSources,
  readStates,
  toCheckCopy,
} from '@billing/store';
import type {
  AccountKey,
  CheckCopy,
  Database,
  DerivedSources,
  EntitlementCache,
  Usage,
  UsageLookUp,
  UserSources,
} from '@billing/store';
import type { ApiConfig } from '../config.ts';
import type { Admission } from '../entitlements/admit-misses.ts';
import { createReadRunner, toFreshAnswer } from '../entitlements/fresh-reads.ts';

export type UsageReadDeps = {
  database: Pick<Database, '$queryJson'>;
  clock: Clock;
  cache: EntitlementCache;
  usage: Pick<Usage, 'cache'>;
  config: Pick<ApiConfig, 'pastDueGraceDays' | 'renewalAllowanceMs' | 'databasePoolSize'>;
  admission: Admission;
};

/** What the cache was asked, and has no copy of. */
export type Missing = { key: AccountKey; lookUp: UsageLookUp };

type Read = { copy: CheckCopy; userVersion: number };

/** How often a read that proved to be older than something known is repeated. */
const maxReads = 3;

const leastVersionOf = ({ entitlements }: UsageLookUp): number =>
  entitlements.state === 'hit' ? entitlements.version : entitlements.leastVersion;

const isOld = ({ copy, userVersion }: Read, lookUp: UsageLookUp): boolean =>
  userVersion < leastVersionOf(lookUp) || copy.usageSeq < lookUp.leastSeq;

/** The last answer stands: what was known may have been rolled back. */
const withoutLeast = (lookUp: UsageLookUp): UsageLookUp => ({
  ...lookUp,
  leastSeq: 0,
  ticket: null,
  entitlements:
    lookUp.entitlements.state === 'hit'
      ? { state: 'unavailable', leastVersion: 0 }
      : { ...lookUp.entitlements, leastVersion: 0 },
});

/** What sources of users say at one moment, by the user. */
function derivedBy(
  sources: ReadonlyMap<string, UserSources>,
  config: UsageReadDeps['config'],
  now: number,
): (userId: string) => DerivedSources {
  const derived = new Map(
    [...sources].map(([userId, read]) => [userId, deriveSources(read, config, now)] as const),
  );
  return (userId) => {
    const known = derived.get(userId);
    if (known === undefined) throw new Error('the project of a valid API key has no row');
    return known;
  };
}

/** Reads sources and states by one statement each, and offers to the cache what is new enough. */
function createReads(deps: UsageReadDeps) {
  const { database, clock, cache, usage, config } = deps;
  const run = createReadRunner(deps);

  /** A copy of a balance is served together with the entitlements that it was derived from: both have to be there. */
  function keepEntitlements(lookUp: UsageLookUp, read: UserSources | undefined, asOf: number): void {
    if (lookUp.entitlements.state !== 'miss' || read === undefined) return;
    if (read.userVersion < lookUp.entitlements.leastVersion) return;
    const { projectId } = lookUp;
    void cache.fill(lookUp.entitlements.ticket, toFreshAnswer(deps, read, { projectId, asOf }));
  }

  return async (asked: readonly Missing[]): Promise<Read[]> => {
    const [first] = asked;
    if (first === undefined) return [];
    const { projectId } = first.key;
    const keys = asked.map(({ key }) => key);
    const userIds = [...new Set(keys.map(({ userId }) => userId))];
    const startedAt = clock();
    const [sources, states] = await run({ projectId, userIds }, () =>
      Promise.all([readSources(database, projectId, userIds), readStates(database, keys, startedAt)]),
    );
    const sourcesOf = derivedBy(sources, config, startedAt);
    for (const { key, lookUp } of asked) keepEntitlements(lookUp, sources.get(key.userId), startedAt);
    const accounts = await openAccounts(database, { keys, sourcesOf, states });
    return asked.flatMap(({ key, lookUp }, at) => {
      const account = accounts[at];
      if (account === undefined) return [];
      const known = sourcesOf(key.userId);
      const copied = { ...key, sources: known, account };
      const read = { copy: toCheckCopy(copied), userVersion: known.read.userVersion };
      if (isOld(read, lookUp)) return read;
      usage.cache.rememberAnswered(key, account.state.usageSeq);
      if (lookUp.ticket !== null) void usage.cache.fill(lookUp.ticket, copied);
      return read;
    });
  };
}

export type CheckReads = {
  /** One account, by one read for all who wait for the same; `leastSeq`: an older one will not do. */
  one: (missing: Missing, leastSeq: number) => Promise<CheckCopy>;
  /** Many of one project, by two statements, in the order asked. */
  many: (missing: readonly Missing[]) => Promise<CheckCopy[]>;
};

/** Reads of Postgres, past the cache. */
export function createCheckReads(deps: UsageReadDeps): CheckReads {
  const readOnce = createReads(deps);
  const inFlight = new Map<string, Promise<Read | undefined>>();

  async function readAll(missing: readonly Missing[]): Promise<Read[]> {
    const reads = await readOnce(missing);
    for (let count = 2; count <= maxReads; count += 1) {
      const old = missing.flatMap((one, at) => {
        const read = reads[at];
        return read !== undefined && isOld(read, one.lookUp) ? [{ one, at }] : [];
      });
      if (old.length === 0) return reads;
      const again = await readOnce(
        old.map(({ one }) => (count < maxReads ? one : { ...one, lookUp: withoutLeast(one.lookUp) })),
      );
      old.forEach(({ at }, index) => {
        const read = again[index];
        if (read !== undefined) reads[at] = read;
      });
    }
    return reads;
  }

  function readShared(missing: Missing): Promise<Read | undefined> {
    const text = accountText(missing.key);
    const reading = readAll([missing])
      .then(([read]) => read)
      .finally(() => {
        if (inFlight.get(text) === reading) inFlight.delete(text);
      });
    inFlight.set(text, reading);
    return reading;
  }

  return {
    async one(missing, leastSeq) {
      const joined = await inFlight.get(accountText(missing.key));
      const isJoined = joined !== undefined && !isOld(joined, missing.lookUp);
      const read = isJoined && joined.copy.usageSeq >= leastSeq ? joined : await readShared(missing);
      if (read === undefined) throw new ServiceError('service_unavailable', 'Try again in a moment.');
      return read.copy;
    },
    many: async (missing) => (await readAll(missing)).map(({ copy }) => copy),
  };
}
