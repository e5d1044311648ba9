import type { Clock } from '@billing/domain';
import { withDeadline } from '@billing/platform';
import { LRUCache } from 'lru-cache';
import type { EntitlementCache } from '../cache/entitlement-cache.ts';
import type { FillTicket, LookUp } from '../cache/look-ups.ts';
import { generationKey, runScript } from '../cache/entry.ts';
import type { AccountKey } from './account-key.ts';
import {
  keptMs,
  markScript,
  parseUsageEntry,
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
/** Redis answers nobody else meanwhile: less than a millisecond. */
const scannedAtOnce = 1_000;
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
  /**
   * Removes all copies of an erased user, whatever codes were asked for, once nobody stores any more (`cacheFilledMs`). Looks
   * through all keys. Throws when Redis cannot be reached.
   */
  forget: (user: Omit<AccountKey, 'featureCode'>) => Promise<void>;
};

/** The generation of each changed account's project, as it was before the commit, and the run of Redis. */
export type UsageMark = { generations: readonly string[]; runId: string };

type Deps = { cache: EntitlementCache; clock: Clock };

const keysOf = (known: readonly AccountKey[]): string[] => [
  ...known.map(usageKey),
  ...known.map(({ projectId }) => generationKey(projectId)),
];

const isFresh = (
  entry: ParsedEntry,
  ticket: FillTicket,
  { version, now }: { version: number; now: number },
): boolean =>
  entry.generation === ticket.generation &&
  entry.runId === ticket.runId &&
  entry.userVersion === version &&
  entry.validUntil > now &&
  entry.steps.length > 0;

/** Stores copies, unless something newer is there. */
async function put(
  { cache, clock, committed }: Deps & { committed: LRUCache<string, number> },
  all: readonly { known: KnownAccount; generation: string }[],
  runId: string,
): Promise<void> {
  const kept = all.flatMap(({ known, generation }) => {
    const args = storeArguments(known, { generation, runId, now: clock() });
    return args === null ? [] : [{ known, args }];
  });
  if (kept.length === 0 || cache.runId() !== runId) return;
  try {
    await runScript(
      cache.redis,
      storeScript,
      keysOf(kept.map(({ known }) => known)),
      kept.flatMap(({ args }) => args),
    );
    for (const { known } of kept) {
      const key = usageKey(known);
      if (committed.get(key) === known.account.state.usageSeq) committed.delete(key);
    }
  } catch (error) {
    cache.reportFailure(error);
  }
}

/** Copies of balances in Redis, beside the user's entitlements. Redis may vanish at any moment: copies are all it has. */
export function createUsageCache({ cache, clock }: Deps): UsageCache {
  const { redis } = cache;
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
      const copyKey = usageKey(key);
      const { lookUp, other, ticket } = await cache.lookUpWith(key.projectId, key.userId, copyKey);
      const entry = other === null ? null : parseUsageEntry(other);
      const remembered = committed.size === 0 ? 0 : (committed.get(copyKey) ?? 0);
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

    async fill({ generation, runId, startedAt }, known) {
      // Guessed ids must not fill Redis.
      if (!known.sources.read.isKnown || performance.now() - startedAt > maxFillMs) return;
      await put(own, [{ known, generation }], runId);
    },

    async mark(changed) {
      for (const known of changed) rememberAnswered(known, known.account.state.usageSeq);
      const runId = cache.runId();
      if (runId === null || changed.length === 0) return null;
      try {
        const seqs = changed.map(({ account }) => account.state.usageSeq);
        const marking = runScript(redis, markScript, keysOf(changed), [tombstoneMs, ...seqs]);
        const generations = await withDeadline(marking, {
          ms: markMs,
          onTimeout: () => new Error('the cache did not answer in time'),
        });
        return Array.isArray(generations) ? { generations: generations.map(String), runId } : null;
      } catch (error) {
        cache.reportFailure(error);
        return null;
      }
    },

    async store(mark, changed) {
      if (mark === null) return;
      const { generations, runId } = mark;
      const known = changed.flatMap((one, at) =>
        one.sources.read.isKnown ? [{ known: one, generation: generations[at] ?? '' }] : [],
      );
      await put(own, known, runId);
    },

    async forget(user) {
      if (redis.status !== 'ready') throw new Error('the cache Redis is not connected');
      let cursor = '0';
      do {
        const [next, found] = await redis.scan(cursor, 'MATCH', usageKeysOf(user), 'COUNT', scannedAtOnce);
        if (found.length > 0) await redis.del(found);
        cursor = next;
      } while (cursor !== '0');
    },
  };
}
