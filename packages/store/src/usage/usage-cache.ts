import type { Clock, Instant } from '@billing/domain';
import { withDeadline } from '@billing/platform';
import { LRUCache } from 'lru-cache';
import type { EntitlementCache, ServedUser } from '../cache/entitlement-cache.ts';
import type { FillTicket, LookUp, LookUpWith } from '../cache/look-ups.ts';
import { runScript } from '../cache/entry.ts';
import type { AccountKey } from './account-key.ts';
import {
  keptMs,
  markScript,
  parseUsageEntry,
  servedMs,
  storeArguments,
  storeScript,
  tombstoneSeq,
  usageKey,
  usageKeysOf,
} from './usage-entry.ts';
import type { CheckCopy, KnownAccount, ParsedEntry } from './usage-entry.ts';

/** Longer than the slowest fill. */
const tombstoneMs = 60_000;
const maxFillMs = 5_000;
const maxRemembered = 50_000;
/** How long a commit waits for the cache. */
const markMs = 50;

export type UsageLookUp = {
  projectId: string;
  entitlements: LookUp;
  /** The copy, if it may be served. */
  copy: CheckCopy | null;
  /** A sequence that is known to exist: an older read is to be repeated. */
  leastSeq: number;
  ticket: FillTicket | null;
};

export type UsageCache = {
  /** One round trip for entitlements and balance, shared by all who ask at the same time. Never throws. */
  lookUp: (key: AccountKey) => Promise<UsageLookUp>;
  /** Notes what was answered past the cache, so that this process never answers with an older one. */
  rememberAnswered: (key: AccountKey, usageSeq: number) => void;
  /** Stores a copy of what was read after the look-up. Never throws. */
  fill: (ticket: FillTicket, known: KnownAccount) => Promise<void>;
  /**
   * Before a commit: from now on nothing older than what it makes is served. A process that dies after the commit leaves
   * no old copy behind. Returns what `store` needs; null: Redis was not told, which the commit has to note (`noteUnmarked`).
   * Never throws, and waits at most for a moment.
   */
  mark: (changed: readonly KnownAccount[]) => Promise<UsageMark | null>;
  /** After the commit: the new copies; and Redis is told again, as it may have lost what it was told. Never throws. */
  store: (mark: UsageMark | null, changed: readonly KnownAccount[]) => Promise<void>;
  /**
   * Removes all copies of an erased user, whatever codes were asked for, once nobody stores any more (`cacheFilledMs`). Looks
   * through all keys. Throws when Redis cannot be reached.
   */
  forget: (user: Omit<AccountKey, 'featureCode'>) => Promise<void>;
};

/** By changed account: its project's generation as it was before the commit, and the server that has the copy. */
export type UsageMark = readonly { generation: string; server: string }[];

type Deps = {
  cache: EntitlementCache;
  clock: Clock;
  /** Since when Redis was told of all commits (`followUnmarkedCommits`). */
  toldSince: () => Instant;
};

/** Accounts of one server, which one script can name together. */
type ServedAccounts<T> = { served: ServedUser; accounts: T[] };

/** Those that can be told to the cache now, by where their copies are. */
function byServer<T extends AccountKey>(cache: EntitlementCache, all: readonly T[]): ServedAccounts<T>[] {
  const groups = new Map<number, ServedAccounts<T>>();
  for (const account of all) {
    const served = cache.served(account.projectId, account.userId);
    if (served === null) continue;
    const group = groups.get(served.shard);
    if (group === undefined) groups.set(served.shard, { served, accounts: [account] });
    else group.accounts.push(account);
  }
  return [...groups.values()];
}

/** Keys of copies, then as many of projects: all in one slot. */
const keysOf = (cache: EntitlementCache, accounts: readonly AccountKey[]): string[] => [
  ...accounts.map((key) => cache.keyBeside(key.userId, usageKey(key))),
  ...accounts.flatMap(({ projectId, userId }) => cache.served(projectId, userId)?.projectKey ?? []),
];

type Asked = { ticket: FillTicket; version: number; now: Instant; toldSince: Instant };

/** Copies of what was read before all commits were told of are served for a moment only. */
const isFresh = (entry: ParsedEntry, { ticket, version, now, toldSince }: Asked): boolean =>
  entry.generation === ticket.generation &&
  entry.server === ticket.server &&
  entry.userVersion === version &&
  entry.validUntil > now &&
  (entry.asOf > toldSince || entry.asOf + servedMs > now) &&
  entry.steps.length > 0;

type Copy = KnownAccount & { generation: string; at: string };
type Committed = LRUCache<string, number>;

/** Stores copies on one server, and forgets what that has acknowledged. */
async function putAt(
  { cache, clock }: Pick<Deps, 'cache' | 'clock'>,
  { served, accounts }: ServedAccounts<Copy>,
  { isCommit, committed }: { isCommit: boolean; committed: Committed },
): Promise<void> {
  const { server, redis } = served;
  const now = clock();
  try {
    const keys = keysOf(cache, accounts);
    if (keys.length !== 2 * accounts.length) return;
    const told = await runScript(redis, storeScript, keys, [
      isCommit ? tombstoneMs : 0,
      ...accounts.flatMap(({ generation, ...known }) => storeArguments(known, { generation, server, now })),
    ]);
    const isTold = Array.isArray(told) ? told : [];
    accounts.forEach((known, index) => {
      const key = usageKey(known);
      if (isTold[index] === 1 && committed.get(key) === known.account.state.usageSeq) committed.delete(key);
    });
  } catch (error) {
    served.reportFailure(error);
  }
}

/** Stores copies, unless something newer is there. `isCommit`: that they are the newest is noted in any case. */
async function put(
  deps: Pick<Deps, 'cache' | 'clock'>,
  copies: readonly Copy[],
  how: { isCommit: boolean; committed: Committed },
): Promise<void> {
  const isThere = ({ projectId, userId, at }: Copy): boolean =>
    deps.cache.served(projectId, userId)?.server === at;
  const groups = byServer(deps.cache, copies.filter(isThere));
  await Promise.all(groups.map((group) => putAt(deps, group, how)));
}

/** Marks the accounts of one server, and returns the generations of their projects by account. */
async function markAt(
  cache: EntitlementCache,
  { served, accounts }: ServedAccounts<KnownAccount>,
): Promise<[KnownAccount, { generation: string; server: string }][]> {
  const { server } = served;
  try {
    const keys = keysOf(cache, accounts);
    if (keys.length !== 2 * accounts.length) return [];
    const seqs = accounts.map(({ account }) => account.state.usageSeq);
    const marking = runScript(served.redis, markScript, keys, [tombstoneMs, ...seqs]);
    const generations = await withDeadline(marking, {
      ms: markMs,
      onTimeout: () => new Error('the cache did not answer in time'),
    });
    if (!Array.isArray(generations)) return [];
    return accounts.map((one, index) => [one, { generation: String(generations[index]), server }]);
  } catch (error) {
    served.reportFailure(error);
    return [];
  }
}

/** Copies of balances in Redis, beside the user's entitlements. Redis may vanish at any moment: copies are all it has. */
export function createUsageCache({ cache, clock, toldSince }: Deps): UsageCache {
  /** What this process committed or answered, and Redis has not acknowledged: whoever saw it must not see an older answer. */
  const committed: Committed = new LRUCache({ max: maxRemembered, ttl: 2 * keptMs });
  const own = { cache, clock };

  function rememberAnswered(account: AccountKey, usageSeq: number): void {
    if (usageSeq === 0) return;
    const key = usageKey(account);
    committed.set(key, Math.max(usageSeq, committed.get(key) ?? 0));
  }

  function evaluate(key: AccountKey, ownKey: string, { lookUp, other, ticket }: LookUpWith): UsageLookUp {
    const entry = other === null ? null : parseUsageEntry(other);
    const remembered = committed.size === 0 ? 0 : (committed.get(ownKey) ?? 0);
    const leastSeq = Math.max(remembered, entry?.usageSeq ?? tombstoneSeq(other));
    const isServed =
      entry !== null &&
      ticket !== null &&
      lookUp.state === 'hit' &&
      entry.usageSeq >= leastSeq &&
      isFresh(entry, { ticket, version: lookUp.version, now: clock(), toldSince: toldSince() });
    return {
      projectId: key.projectId,
      entitlements: lookUp,
      copy: isServed ? entry : null,
      leastSeq,
      ticket,
    };
  }

  return {
    rememberAnswered,

    lookUp(key) {
      const ownKey = usageKey(key);
      return cache
        .lookUpWith(key.projectId, key.userId, cache.keyBeside(key.userId, ownKey))
        .then((found) => evaluate(key, ownKey, found));
    },

    async fill({ generation, server, startedAt }, known) {
      // Guessed ids must not fill Redis.
      if (!known.sources.read.isKnown || performance.now() - startedAt > maxFillMs) return;
      await put(own, [{ ...known, generation, at: server }], { isCommit: false, committed });
    },

    async mark(changed) {
      for (const known of changed) rememberAnswered(known, known.account.state.usageSeq);
      const marked = await Promise.all(byServer(cache, changed).map((group) => markAt(cache, group)));
      const found = new Map(marked.flat());
      const marks = changed.flatMap((known) => found.get(known) ?? []);
      return marks.length === changed.length ? marks : null;
    },

    async store(mark, changed) {
      if (mark === null) return;
      const copies = changed.flatMap((known, index) => {
        const where = mark[index];
        return where === undefined ? [] : [{ ...known, generation: where.generation, at: where.server }];
      });
      await put(own, copies, { isCommit: true, committed });
    },

    forget: (user) => cache.forgetBeside(user, usageKeysOf(user)),
  };
}
