import type { Clock } from '@billing/domain';
import { withDeadline } from '@billing/platform';
import { LRUCache } from 'lru-cache';
import type { EntitlementCache, ServedUser } from '../cache/entitlement-cache.ts';
import type { FillTicket, LookUp } from '../cache/look-ups.ts';
import { runScript } from '../cache/entry.ts';
import type { AccountKey } from './account-key.ts';
import {
  keptMs,
  markScript,
  parseUsageEntry,
  storeArguments,
  storeScript,
  tombstoneSeq,
  usageKey,
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
  /** Notes what was answered from Postgres, so that this process never answers with an older one. */
  rememberAnswered: (key: AccountKey, usageSeq: number) => void;
  /** Stores a copy of what was read after the look-up. Never throws. */
  fill: (ticket: FillTicket, known: KnownAccount) => Promise<void>;
  /**
   * Before a commit: from now on nothing older than what it makes is served. A process that dies after the commit leaves
   * no old copy behind. Returns what `store` needs. Never throws, and waits at most for a moment.
   */
  mark: (changed: readonly KnownAccount[]) => Promise<UsageMark | null>;
  /** After the commit: the new copies. Never throws. */
  store: (mark: UsageMark | null, changed: readonly KnownAccount[]) => Promise<void>;
};

/** By changed account: its project's generation as it was before the commit, and the server that has the copy. */
export type UsageMark = readonly ({ generation: string; server: string } | null)[];

type Deps = { cache: EntitlementCache; clock: Clock };

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

const isFresh = (
  entry: ParsedEntry,
  ticket: FillTicket,
  { version, now }: { version: number; now: number },
): boolean =>
  entry.generation === ticket.generation &&
  entry.server === ticket.server &&
  entry.userVersion === version &&
  entry.validUntil > now &&
  entry.steps.length > 0;

type Put = { known: KnownAccount; generation: string; server: string };

/** Stores copies, unless something newer is there. */
async function put(
  { cache, clock, committed }: Deps & { committed: LRUCache<string, number> },
  all: readonly Put[],
): Promise<void> {
  const kept = all.flatMap(({ known, ...where }) => {
    const args = storeArguments(known, { ...where, now: clock() });
    const isThere = cache.served(known.projectId, known.userId)?.server === where.server;
    return args === null || !isThere ? [] : [{ ...known, args }];
  });
  await Promise.all(
    byServer(cache, kept).map(async ({ served, accounts }) => {
      try {
        const keys = keysOf(cache, accounts);
        if (keys.length !== 2 * accounts.length) return;
        await runScript(
          served.redis,
          storeScript,
          keys,
          accounts.flatMap(({ args }) => args),
        );
        for (const known of accounts) {
          const key = usageKey(known);
          if (committed.get(key) === known.account.state.usageSeq) committed.delete(key);
        }
      } catch (error) {
        served.reportFailure(error);
      }
    }),
  );
}

/** Marks the accounts of one server, and returns the generations of their projects by account. */
async function markAt(
  cache: EntitlementCache,
  { served, accounts }: ServedAccounts<KnownAccount>,
): Promise<[KnownAccount, string][]> {
  try {
    const keys = keysOf(cache, accounts);
    if (keys.length !== 2 * accounts.length) return [];
    const seqs = accounts.map(({ account }) => account.state.usageSeq);
    const generations = await withDeadline(
      runScript(served.redis, markScript, keys, [tombstoneMs, ...seqs]),
      {
        ms: markMs,
        onTimeout: () => new Error('the cache did not answer in time'),
      },
    );
    return Array.isArray(generations) ? accounts.map((one, at) => [one, String(generations[at])]) : [];
  } catch (error) {
    served.reportFailure(error);
    return [];
  }
}

/** Copies of balances in Redis, beside the user's entitlements. Redis may vanish at any moment: copies are all it has. */
export function createUsageCache({ cache, clock }: Deps): UsageCache {
  /** What this process committed or answered, and Redis has not acknowledged: whoever saw it must not see an older answer. */
  const committed = new LRUCache<string, number>({ max: maxRemembered, ttl: 2 * keptMs });

  const own = { cache, clock, committed };

  function rememberAnswered(account: AccountKey, usageSeq: number): void {
    const key = usageKey(account);
    committed.set(key, Math.max(usageSeq, committed.get(key) ?? 0));
  }

  return {
    rememberAnswered,

    async lookUp(key) {
      const ownKey = usageKey(key);
      const copyKey = cache.keyBeside(key.userId, ownKey);
      const { lookUp, other, ticket } = await cache.lookUpWith(key.projectId, key.userId, copyKey);
      const entry = other === null ? null : parseUsageEntry(other);
      const remembered = committed.size === 0 ? 0 : (committed.get(ownKey) ?? 0);
      const leastSeq = Math.max(remembered, entry?.usageSeq ?? tombstoneSeq(other));
      const isServed =
        entry !== null &&
        ticket !== null &&
        lookUp.state === 'hit' &&
        entry.usageSeq >= leastSeq &&
        isFresh(entry, ticket, { version: lookUp.version, now: clock() });
      return {
        projectId: key.projectId,
        entitlements: lookUp,
        copy: isServed ? entry : null,
        leastSeq,
        ticket,
      };
    },

    async fill({ generation, server, startedAt }, known) {
      // Guessed ids must not fill Redis.
      if (!known.sources.read.isKnown || performance.now() - startedAt > maxFillMs) return;
      await put(own, [{ known, generation, server }]);
    },

    async mark(changed) {
      for (const known of changed) rememberAnswered(known, known.account.state.usageSeq);
      const servers = byServer(cache, changed);
      if (servers.length === 0) return null;
      const marked = await Promise.all(
        servers.map(async (group) =>
          (await markAt(cache, group)).map(
            ([known, generation]) => [known, { generation, server: group.served.server }] as const,
          ),
        ),
      );
      const found = new Map(marked.flat());
      return changed.map((known) => found.get(known) ?? null);
    },

    async store(mark, changed) {
      if (mark === null) return;
      const known = changed.flatMap((one, at) => {
        const where = mark[at];
        return one.sources.read.isKnown && where ? [{ known: one, ...where }] : [];
      });
      await put(own, known);
    },
  };
}
