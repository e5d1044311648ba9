import { checkSteps, checkUsage, usageReasons } from '@billing/domain';
import type { Account, CheckStep, Instant } from '@billing/domain';
import { script } from '../cache/entry.ts';
import type { AccountKey } from './account-key.ts';
import type { DerivedSources } from './user-sources.ts';

/**
 * What the cache holds of one user and feature: `<generation>|<server>|<asOfMs>:<user version>|<usage_seq>|<validUntilMs>|<steps>|
 * <length of head>|<head><tail>`, or a tombstone `T|<usage_seq>`: nothing older may be stored or served. The text of an
 * answer is head, what depends on the required quantity, and tail.
 */
export type CheckCopy = { usageSeq: number; steps: CheckStep[]; head: string; tail: string };

/** `asOf`: when its reading began; nothing later is known to be in it. */
type Entry = CheckCopy & { asOf: Instant; userVersion: number; validUntil: Instant };

export const usageKey = ({ projectId, userId, featureCode }: AccountKey): string =>
  `use:${projectId.length}:${projectId}:${userId.length}:${userId}:${featureCode}`;

/** Keys of a user's copies, of all features, as `SCAN` takes it. */
export const usageKeysOf = ({ projectId, userId }: Omit<AccountKey, 'featureCode'>): string =>
  `${usageKey({ projectId, userId, featureCode: '' }).replaceAll(/[\\*?[\]^-]/g, String.raw`\$&`)}*`;

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
    asOf: account.offer.input.now,
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

/** The fields before the head, and where that begins; null: there are fewer. */
function fieldsOf(raw: string, count: number): { fields: string[]; end: number } | null {
  const fields: string[] = [];
  let end = 0;
  while (fields.length < count) {
    const next = raw.indexOf('|', end);
    if (next < 0) return null;
    fields.push(raw.slice(end, next));
    end = next + 1;
  }
  return { fields, end };
}

/** Null for a tombstone or anything unexpected. */
export function parseUsageEntry(raw: string): ParsedEntry | null {
  const found = fieldsOf(raw, 7);
  if (found === null) return null;
  const { fields, end } = found;
  const [generation = '', server = '', versions = '', usageSeq, validUntil, steps = '', headLength] = fields;
  const [asOf, userVersion] = versions.split(':');
  const middle = end + Number(headLength);
  return {
    generation,
    server,
    asOf: Number(asOf),
    userVersion: Number(userVersion),
    usageSeq: Number(usageSeq),
    validUntil: Number(validUntil),
    steps: readSteps(steps),
    head: raw.slice(end, middle),
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

/**
 * Keys as above; arguments: milliseconds of tombstones (0: none are set), then generation, sequence, entry (empty: none) and
 * milliseconds of each. What was committed is known afterwards in any case, also where all was emptied since it was marked.
 * Returns for each whether nothing older is there.
 */
export const storeScript = script(`${seqOf}
local function put(key, value, ms)
  local stored = redis.pcall('SET', key, value, 'PX', ms)
  return not (type(stored) == 'table' and stored.err)
end
local count = #KEYS / 2
local known = {}
for i = 1, count do
  local at = (i - 1) * 4 + 1
  local seq = ARGV[at + 2]
  local there = seq_of(redis.call('GET', KEYS[i]))
  local is_known = there >= tonumber(seq)
  if ARGV[at + 3] ~= '' and there <= tonumber(seq) and redis.call('GET', KEYS[count + i]) == ARGV[at + 1] then
    is_known = put(KEYS[i], ARGV[at + 3], ARGV[at + 4]) or is_known
  end
  if not is_known and ARGV[1] ~= '0' then
    is_known = put(KEYS[i], 'T|' .. seq, ARGV[1])
    if not is_known then redis.call('DEL', KEYS[i]) end
  end
  known[i] = is_known and 1 or 0
end
return known`);

/** An account as it was read, or as a commit left it. */
export type KnownAccount = AccountKey & { sources: DerivedSources; account: Account };

/**
 * How long a copy is served where a commit somewhere could not tell Redis that it makes copies old: all show a commit within a
 * second.
 */
export const servedMs = 900;
/** How long it is served otherwise: the bound of what two faults at once can do. Redis keeps it as long. */
export const keptMs = 60_000;

/** The version of the catalog that a generation is of; 0: made when there was none. */
const catalogOf = (generation: string): number => Number(generation.split(':', 1)[0]);

/** What is stored, and for how long. No entry: it would be of no use, or the catalog has changed. */
export function storeArguments(
  known: KnownAccount,
  { generation, server, now }: { generation: string; server: string; now: Instant },
): [generation: string, usageSeq: number, entry: string, ms: number] {
  const { usageSeq } = known.account.state;
  const none: [string, number, string, number] = [generation, usageSeq, '', keptMs];
  if (generation === '' || !known.sources.read.isKnown) return none;
  if (catalogOf(generation) > known.sources.read.projectVersion) return none;
  const { asOf, userVersion, steps, head, tail, ...entry } = entryOf(known, known.sources, known.account);
  const validUntil = Math.min(entry.validUntil, asOf + keptMs);
  if (validUntil <= now) return none;
  const text = [
    generation,
    server,
    `${asOf}:${userVersion}`,
    usageSeq,
    validUntil,
    stepsText(steps),
    head.length,
  ];
  return [generation, usageSeq, `${text.join('|')}|${head}${tail}`, keptMs];
}
