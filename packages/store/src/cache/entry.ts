/**
 * What the cache holds for a user. An entry is `<generation>|<runId>|<version>|<validUntilMs>|<answer>`,
 * a tombstone `T|<version>`: nothing older than `version` may be stored or served.
 */
export type CacheEntry = {
  generation: string;
  runId: string;
  version: number;
  /** Last moment (exclusive) at which the answer may be served. */
  validUntil: number;
  answer: string;
};

/** Length-prefixed, so that no two pairs share a key: ("a", "b:c") and ("a:b", "c") differ. */
export const userKey = (projectId: string, userId: string): string =>
  `ent:u:${projectId.length}:${projectId}:${userId}`;

export const generationKey = (projectId: string): string => `ent:p:${projectId}`;

export const formatEntry = (entry: CacheEntry): string =>
  `${entry.generation}|${entry.runId}|${entry.version}|${entry.validUntil}|${entry.answer}`;

/** Reads an entry; null for a tombstone or anything unexpected. */
export function parseEntry(raw: string): CacheEntry | null {
  const generationEnd = raw.indexOf('|');
  const runIdEnd = raw.indexOf('|', generationEnd + 1);
  const versionEnd = raw.indexOf('|', runIdEnd + 1);
  const untilEnd = raw.indexOf('|', versionEnd + 1);
  if (generationEnd < 1 || runIdEnd < 0 || versionEnd < 0 || untilEnd < 0) return null;
  const version = Number(raw.slice(runIdEnd + 1, versionEnd));
  const validUntil = Number(raw.slice(versionEnd + 1, untilEnd));
  if (!Number.isSafeInteger(version) || !Number.isSafeInteger(validUntil)) return null;
  return {
    generation: raw.slice(0, generationEnd),
    runId: raw.slice(generationEnd + 1, runIdEnd),
    version,
    validUntil,
    answer: raw.slice(untilEnd + 1),
  };
}

/** The version of a tombstone; 0 for anything else. */
export function tombstoneVersion(raw: string | null): number {
  if (raw === null || !raw.startsWith('T|')) return 0;
  const version = Number(raw.slice(2));
  return Number.isSafeInteger(version) ? version : 0;
}
