import { checkSteps, checkUsage, usageReasons } from '@billing/domain';
import type { Account, CheckStep, Instant } from '@billing/domain';
import { script } from '../cache/entry.ts';
import type { AccountKey } from './account-key.ts';
import type { DerivedSources } from './user-sources.ts';

/**
 * What the cache holds of one user and feature: `<generation>|<server>|<user version>|<usage_seq>|<validUntilMs>|<steps>|
 * <length of head>|<head><tail>`, or a tombstone `T|<usage_seq>`: nothing older may be stored or served. The text of an
 * answer is head, what depends on the required quantity, and tail.
 */
export type CheckCopy = { usageSeq: number; steps: CheckStep[]; head: string; tail: string };

type Entry = CheckCopy & { userVersion: number; validUntil: Instant };

export const usageKey = ({ projectId, userId, featureCode }: AccountKey): string =>
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

function readSteps(text: string): CheckStep[] {
  return text.split(',').flatMap((step) => {
    const [upTo = '', name = ''] = step.split(':');
    const reason = usageReasons.find((known) => known === name);
    return reason === undefined ? [] : [{ upTo: upTo === '' ? null : Number(upTo), reason }];
  });
}

export type ParsedEntry = Entry & { generation: string; server: string };

/** Null for a tombstone or anything unexpected. */
export function parseUsageEntry(raw: string): ParsedEntry | null {
  const parts = raw.split('|', 7);
  const [generation, server, userVersion, usageSeq, validUntil, steps, headLength] = parts;
  if (parts.length < 7 || generation === undefined || server === undefined || steps === undefined)
    return null;
  const start = parts.reduce((sum, part) => sum + part.length + 1, 0);
  const middle = start + Number(headLength);
  return {
    generation,
    server,
    userVersion: Number(userVersion),
    usageSeq: Number(usageSeq),
    validUntil: Number(validUntil),
    steps: readSteps(steps),
    head: raw.slice(start, middle),
    tail: raw.slice(middle),
  };
}

export const tombstoneSeq = (raw: string | null): number =>
  raw !== null && raw.startsWith('T|') ? Number(raw.slice(2)) : 0;

const seqOf = `
local function seq_of(value)
  if not value then return -1 end
  local seq = string.match(value, '^T|(%d+)$') or string.match(value, '^[^|]*|[^|]*|[^|]*|(%d+)|')
  return tonumber(seq or '-1')
end`;

/** Keys: those of usage, then as many of projects. Returns the projects' generations. */
export const markScript = script(`${seqOf}
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
export const storeScript = script(`${seqOf}
local count = #KEYS / 2
for i = 1, count do
  local at = (i - 1) * 4
  if redis.call('GET', KEYS[count + i]) == ARGV[at + 1] and seq_of(redis.call('GET', KEYS[i])) <= tonumber(ARGV[at + 2]) then
    redis.call('SET', KEYS[i], ARGV[at + 3], 'PX', ARGV[at + 4])
  end
end
return 1`);

/** An account as it was read, or as a commit left it. */
export type KnownAccount = AccountKey & { sources: DerivedSources; account: Account };

/**
 * How long a copy is served. Where Redis is away, a commit cannot say that it makes a copy old; this bounds how long another
 * process shows it: all show a commit within a second.
 */
export const servedMs = 900;
/** How long Redis keeps it, as a mark of what is known: longer than the slowest fill. */
export const keptMs = 10_000;

/** The version of the catalog that a generation is of; 0: made when there was none. */
const catalogOf = (generation: string): number => Number(generation.split(':', 1)[0]);

/** What is stored, and for how long; null: it would be of no use, or the catalog has changed. */
export function storeArguments(
  known: KnownAccount,
  { generation, server, now }: { generation: string; server: string; now: Instant },
): (string | number)[] | null {
  if (generation === '' || catalogOf(generation) > known.sources.read.projectVersion) return null;
  const entry = entryOf(known, known.sources, known.account);
  const validUntil = Math.min(entry.validUntil, now + servedMs);
  if (validUntil <= now) return null;
  const { userVersion, usageSeq, steps, head, tail } = entry;
  const text = [generation, server, userVersion, usageSeq, validUntil, stepsText(steps), head.length];
  return [generation, usageSeq, `${text.join('|')}|${head}${tail}`, keptMs];
}
