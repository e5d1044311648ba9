import { checkSteps, checkUsage } from '@billing/domain';
import type { Account, CheckStep, Clock, Instant, UsageReason } from '@billing/domain';
import { withDeadline } from '@billing/platform';
import { LRUCache } from 'lru-cache';
import type { EntitlementCache, FillTicket, LookUp } from '../cache/entitlement-cache.ts';
import { generationKey, runScript, script } from '../cache/entry.ts';
import type { AccountKey } from './account-key.ts';
import type { DerivedSources } from './user-sources.ts';

/** Longer than the slowest fill. */
const tombstoneMs = 60_000;
const longestMs = 60_000;
const shortestMs = 10_000;
const maxFillMs = 5_000;
const maxRemembered = 50_000;
/** How long a commit waits for the cache. */
const markMs = 50;

/**
 * What the cache holds of one user and feature: `<generation>|<runId>|<user version>|<usage_seq>|<validUntilMs>|<steps>|
 * <length of head>|<head><tail>`, or a tombstone `T|<usage_seq>`: nothing older may be stored or served. The text of an
 * answer is head, what depends on the required quantity, and tail.
 */
export type CheckCopy = { usageSeq: number; steps: CheckStep[]; head: string; tail: string };

type Entry = CheckCopy & { userVersion: number; validUntil: Instant };

const keyOf = ({ projectId, userId, featureCode }: AccountKey): string =>
  `use:${projectId.length}:${projectId}:${userId.length}:${userId}:${featureCode}`;

/** What a check is made of; as JSON without `allowed`, `reason` and `required`, and without its end. */
function entryOf({ projectId }: AccountKey, sources: DerivedSources, account: Account): Entry {
  const { version, derived, read } = sources;
  const answer = checkUsage(account, {
    projectId,
    required: 1,
    version,
    entitlementsValidUntil: derived.validUntil,
  });
  const {
    user_id,
    project_id,
    feature_code,
    kind,
    allowed: _,
    reason: _reason,
    required: _all,
    ...rest
  } = answer;
  return {
    userVersion: read.userVersion,
    usageSeq: account.state.usageSeq,
    validUntil: answer.valid_until === null ? Number.POSITIVE_INFINITY : Date.parse(answer.valid_until),
    steps: checkSteps(account),
    head: JSON.stringify({ user_id, project_id, feature_code, kind }).slice(0, -1),
    tail: JSON.stringify(rest).slice(1, -1),
  };
}

/** What a check is answered from. */
export const toCheckCopy = ({
  sources,
  account,
  ...key
}: AccountKey & { sources: DerivedSources; account: Account }): CheckCopy => entryOf(key, sources, account);

const stepsText = (steps: readonly CheckStep[]): string =>
  steps.map(({ upTo, reason }) => `${upTo ?? ''}:${reason}`).join(',');

const reasons: Readonly<Record<UsageReason, UsageReason>> = {
  in_force: 'in_force',
  unlimited: 'unlimited',
  within_allowance: 'within_allowance',
  within_limit: 'within_limit',
  overage_allowed: 'overage_allowed',
  insufficient_balance: 'insufficient_balance',
  limit_reached: 'limit_reached',
  not_entitled: 'not_entitled',
};
const isReason = (text: string): text is UsageReason => Object.hasOwn(reasons, text);

function readSteps(text: string): CheckStep[] {
  return text.split(',').flatMap((step) => {
    const [upTo = '', reason = ''] = step.split(':');
    return isReason(reason) ? [{ upTo: upTo === '' ? null : Number(upTo), reason }] : [];
  });
}

type ParsedEntry = Entry & { generation: string; runId: string };

/** Null for a tombstone or anything unexpected. */
function parseEntry(raw: string): ParsedEntry | null {
  const parts = raw.split('|', 7);
  const [generation, runId, userVersion, usageSeq, validUntil, steps, headLength] = parts;
  if (parts.length < 7 || generation === undefined || runId === undefined || steps === undefined) return null;
  const start = parts.reduce((sum, part) => sum + part.length + 1, 0);
  const middle = start + Number(headLength);
  return {
    generation,
    runId,
    userVersion: Number(userVersion),
    usageSeq: Number(usageSeq),
    validUntil: Number(validUntil),
    steps: readSteps(steps),
    head: raw.slice(start, middle),
    tail: raw.slice(middle),
  };
}

const tombstoneSeq = (raw: string | null): number =>
  raw !== null && raw.startsWith('T|') ? Number(raw.slice(2)) : 0;

const seqOf = `
local function seq_of(value)
  if not value then return -1 end
  local seq = string.match(value, '^T|(%d+)$') or string.match(value, '^[^|]*|[^|]*|[^|]*|(%d+)|')
  return tonumber(seq or '-1')
end`;

/** Keys: those of usage, then as many of projects. Returns the projects' generations. */
const markScript = script(`${seqOf}
local count = #KEYS / 2
local generations = {}
for i = 1, count do
  local seq = ARGV[i + 1]
  if seq_of(redis.call('GET', KEYS[i])) < tonumber(seq) then
    local stored = redis.pcall('SET', KEYS[i], 'T|' .. seq, 'PX', ARGV[1])
    if type(stored) == 'table' and stored.err then redis.call('DEL', KEYS[i]) end
  end
  generations[i] = redis.call('GET', KEYS[count + i]) or ''
end
return generations`);

/** Keys as above; arguments: generation, sequence, entry and milliseconds of each. */
const storeScript = script(`${seqOf}
local count = #KEYS / 2
for i = 1, count do
  local at = (i - 1) * 4
  if redis.call('GET', KEYS[count + i]) == ARGV[at + 1] and seq_of(redis.call('GET', KEYS[i])) <= tonumber(ARGV[at + 2]) then
    redis.call('SET', KEYS[i], ARGV[at + 3], 'PX', ARGV[at + 4])
  end
end
return 1`);

export type UsageLookUp = {
  projectId: string;
  entitlements: LookUp;
  /** The copy, if it may be served. */
  copy: CheckCopy | null;
  /** A sequence that is known to exist: an older read is to be repeated. */
  leastSeq: number;
  ticket: FillTicket | null;
};

type Known = AccountKey & { sources: DerivedSources; account: Account };

export type UsageCache = {
  /** One round trip for entitlements and balance, shared by all who ask at the same time. Never throws. */
  lookUp: (key: AccountKey) => Promise<UsageLookUp>;
  /** Stores a copy of what was read after the look-up. Never throws. */
  fill: (ticket: FillTicket, known: Known) => Promise<void>;
  /**
   * Before a commit: from now on nothing older than what it makes is served. A process that dies after the commit leaves
   * no old copy behind. Returns what `store` needs. Never throws, and waits at most for a moment.
   */
  mark: (changed: readonly Known[]) => Promise<UsageMark | null>;
  /** After the commit: the new copies. Never throws. */
  store: (mark: UsageMark | null, changed: readonly Known[]) => Promise<void>;
};

/** The generation of each changed account's project, as it was before the commit, and the run of Redis. */
export type UsageMark = { generations: readonly string[]; runId: string };

type Deps = { cache: EntitlementCache; clock: Clock };

const keysOf = (known: readonly AccountKey[]): string[] => [
  ...known.map(keyOf),
  ...known.map(({ projectId }) => generationKey(projectId)),
];

/** The version of the catalog that a generation is of; 0: made when there was none. */
const catalogOf = (generation: string): number => Number(generation.split(':', 1)[0]);

/** Copies of balances in Redis, beside the user's entitlements. Redis may vanish at any moment: copies are all it has. */
export function createUsageCache({ cache, clock }: Deps): UsageCache {
  const { redis } = cache;
  /** What this process committed, and Redis has not acknowledged: whoever saw it must not see an older answer. */
  const committed = new LRUCache<string, number>({ max: maxRemembered, ttl: 2 * longestMs });

  const isFresh = (entry: ParsedEntry, ticket: FillTicket, version: number): boolean =>
    entry.generation === ticket.generation &&
    entry.runId === ticket.runId &&
    entry.userVersion === version &&
    entry.validUntil > clock() &&
    entry.steps.length > 0;

  /** What is stored, and for how long; null: it would be of no use, or the catalog has changed. */
  function argumentsOf(known: Known, generation: string, runId: string): (string | number)[] | null {
    if (generation === '' || catalogOf(generation) > known.sources.read.projectVersion) return null;
    const entry = entryOf(known, known.sources, known.account);
    const now = clock();
    const validUntil = Math.min(entry.validUntil, now + longestMs);
    if (validUntil <= now) return null;
    const { userVersion, usageSeq, steps, head, tail } = entry;
    const text = [generation, runId, userVersion, usageSeq, validUntil, stepsText(steps), head.length];
    return [
      generation,
      usageSeq,
      `${text.join('|')}|${head}${tail}`,
      Math.max(shortestMs, Math.ceil(validUntil - now)),
    ];
  }

  async function put(all: readonly { known: Known; generation: string }[], runId: string): Promise<void> {
    const kept = all.flatMap(({ known, generation }) => {
      const args = argumentsOf(known, generation, runId);
      return args === null ? [] : [{ known, args }];
    });
    if (kept.length === 0 || cache.runId() !== runId) return;
    try {
      await runScript(
        redis,
        storeScript,
        keysOf(kept.map(({ known }) => known)),
        kept.flatMap(({ args }) => args),
      );
      for (const { known } of kept) {
        const key = keyOf(known);
        if (committed.get(key) === known.account.state.usageSeq) committed.delete(key);
      }
    } catch (error) {
      cache.reportFailure(error);
    }
  }

  return {
    async lookUp(key) {
      const usageKey = keyOf(key);
      const { lookUp, other, ticket } = await cache.lookUpWith(key.projectId, key.userId, usageKey);
      const entry = other === null ? null : parseEntry(other);
      const remembered = committed.size === 0 ? 0 : (committed.get(usageKey) ?? 0);
      const leastSeq = Math.max(remembered, entry?.usageSeq ?? tombstoneSeq(other));
      const isServed =
        entry !== null &&
        ticket !== null &&
        lookUp.state === 'hit' &&
        entry.usageSeq >= leastSeq &&
        isFresh(entry, ticket, lookUp.version);
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
      await put([{ known, generation }], runId);
    },

    async mark(changed) {
      for (const known of changed) {
        const key = keyOf(known);
        committed.set(key, Math.max(known.account.state.usageSeq, committed.get(key) ?? 0));
      }
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
      await put(known, runId);
    },
  };
}
