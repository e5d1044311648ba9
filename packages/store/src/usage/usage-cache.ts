import type { Clock, Instant } from '@billing/domain';
import { withDeadline } from '@billing/platform';
import { LRUCache } from 'lru-cache';
import type { EntitlementCache } from '../cache/entitlement-cache.ts';
import type { FillTicket, LookUp, LookUpWith } from '../cache/look-ups.ts';
import { generationKey, runScript } from '../cache/entry.ts';
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
};

/** The generation of each changed account's project, as it was before the commit, and the run of Redis. */
export type UsageMark = { generations: readonly string[]; runId: string };

type Deps = {
  cache: EntitlementCache;
  clock: Clock;
  /** Since when Redis was told of all commits (`followUnmarkedCommits`). */
  toldSince: () => Instant;
};

const keysOf = (known: readonly AccountKey[]): string[] => [
  ...known.map(usageKey),
  ...known.map(({ projectId }) => generationKey(projectId)),
];

type Asked = { ticket: FillTicket; version: number; now: Instant; toldSince: Instant };

/** Copies of what was read before all commits were told of are served for a moment only. */
const isFresh = (entry: ParsedEntry, { ticket, version, now, toldSince }: Asked): boolean =>
  entry.generation === ticket.generation &&
  entry.runId === ticket.runId &&
  entry.userVersion === version &&
  entry.validUntil > now &&
  (entry.asOf > toldSince || entry.asOf + servedMs > now) &&
  entry.steps.length > 0;

type Copy = { known: KnownAccount; generation: string };
type Committed = LRUCache<string, number>;

/** Stores copies, unless something newer is there. `isCommit`: that they are the newest is noted in any case. */
async function put(
  { cache, clock }: Pick<Deps, 'cache' | 'clock'>,
  { copies, runId, isCommit }: { copies: readonly Copy[]; runId: string; isCommit: boolean },
  committed: Committed,
): Promise<void> {
  if (copies.length === 0 || cache.runId() !== runId) return;
  const now = clock();
  try {
    const told = await runScript(cache.redis, storeScript, keysOf(copies.map(({ known }) => known)), [
      isCommit ? tombstoneMs : 0,
      ...copies.flatMap(({ known, generation }) => storeArguments(known, { generation, runId, now })),
    ]);
    const isTold = Array.isArray(told) ? told : [];
    copies.forEach(({ known }, at) => {
      const key = usageKey(known);
      if (isTold[at] === 1 && committed.get(key) === known.account.state.usageSeq) committed.delete(key);
    });
  } catch (error) {
    cache.reportFailure(error);
  }
}

/** Copies of balances in Redis, beside the user's entitlements. Redis may vanish at any moment: copies are all it has. */
export function createUsageCache({ cache, clock, toldSince }: Deps): UsageCache {
  const { redis } = cache;
  /** What this process committed or answered, and Redis has not acknowledged: whoever saw it must not see an older answer. */
  const committed: Committed = new LRUCache({ max: maxRemembered, ttl: 2 * keptMs });
  const own = { cache, clock };

  function rememberAnswered(account: AccountKey, usageSeq: number): void {
    if (usageSeq === 0) return;
    const key = usageKey(account);
    committed.set(key, Math.max(usageSeq, committed.get(key) ?? 0));
  }

  function evaluate(key: AccountKey, copyKey: string, { lookUp, other, ticket }: LookUpWith): UsageLookUp {
    const entry = other === null ? null : parseUsageEntry(other);
    const remembered = committed.size === 0 ? 0 : (committed.get(copyKey) ?? 0);
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
      const copyKey = usageKey(key);
      return cache
        .lookUpWith(key.projectId, key.userId, copyKey)
        .then((found) => evaluate(key, copyKey, found));
    },

    async fill({ generation, runId, startedAt }, known) {
      // Guessed ids must not fill Redis.
      if (!known.sources.read.isKnown || performance.now() - startedAt > maxFillMs) return;
      await put(own, { copies: [{ known, generation }], runId, isCommit: false }, committed);
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
      const copies = changed.map((known, at) => ({ known, generation: generations[at] ?? '' }));
      await put(own, { copies, runId, isCommit: true }, committed);
    },
  };
}
