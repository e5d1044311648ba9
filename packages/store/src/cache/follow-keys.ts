import { EventEmitter, once } from 'node:events';
import type { Clock } from '@billing/domain';
import { withDeadline } from '@billing/platform';
import type { Database } from '../create-database.ts';
import { touchApiKeys } from '../keys/find-api-key.ts';
import type { ApiKeyRecord } from '../keys/find-api-key.ts';
import { readKeyChanges, readLiveKeys } from '../keys/read-key-changes.ts';

const pageSize = 10_000;
/** All is read anew this often: rows that a failover took away change no more. */
const reloadEveryMs = 10 * 60_000;
const writeUseEveryMs = 1_000;
/** A statement that a frozen server holds must not hold up the next one. */
const catchUpMs = 1_000;

/** Times are monotonic milliseconds; `readAt` of a key that was looked up, else 0. */
export type KnownKey = { record: ApiKeyRecord; readAt: number; reportedAt: number };

/** A reading of all keys that is under way: the digests met, and where it goes on. */
type Reading = { startedAt: number; met: Set<string>; after: string };

type FollowDeps = { database: Pick<Database, '$queryRaw' | '$executeRaw'>; clock: Clock };

/** Equal lists and texts once in memory: there may be very many keys, of few projects. */
function createSharing() {
  const texts = new Map<string, string>();
  const lists = new Map<string, readonly string[]>();
  const textOf = (text: string): string => texts.get(text) ?? (texts.set(text, text), text);
  function listOf(list: readonly string[]): readonly string[] {
    const key = list.join(' ');
    const shared = lists.get(key) ?? list;
    lists.set(key, shared);
    return shared;
  }
  return (record: ApiKeyRecord): ApiKeyRecord => ({
    ...record,
    projectId: textOf(record.projectId),
    scopes: listOf(record.scopes),
    allowedIps: listOf(record.allowedIps),
  });
}

/** Writes down when keys were last used: one statement for all that were, at most one a second. */
function createUseNotes({ database, clock }: FollowDeps) {
  let used = new Set<string>();
  let writtenAt = -Infinity;
  return {
    add: (keyId: string): void => void used.add(keyId),
    async write(): Promise<void> {
      const now = performance.now();
      if (used.size === 0 || now - writtenAt < writeUseEveryMs) return;
      const keyIds = [...used];
      used = new Set();
      writtenAt = now;
      await touchApiKeys(database, keyIds, clock());
    },
  };
}

type Held = {
  known: Map<string, KnownKey>;
  /** Of the reading of all keys that is under way. */
  reading: Reading | null;
  loadedAt: number | null;
  mustReload: boolean;
  keep: (digest: string, record: ApiKeyRecord) => void;
};

function createHeld(): Held {
  const share = createSharing();
  const held: Held = {
    known: new Map(),
    reading: null,
    loadedAt: null,
    mustReload: true,
    keep(digest, record) {
      const entry = held.known.get(digest);
      if (entry === undefined)
        held.known.set(digest, { record: share(record), readAt: 0, reportedAt: -Infinity });
      else entry.record = share(record);
      held.reading?.met.add(digest);
    },
  };
  return held;
}

/** Reads one page of all keys; after the last one, those that were met in no page are gone. */
async function readPage(database: FollowDeps['database'], held: Held, reading: Reading): Promise<void> {
  const page = await readLiveKeys(database, { after: reading.after, limit: pageSize });
  for (const { digest, record } of page) held.keep(digest, record);
  reading.after = page.at(-1)?.record.keyId ?? reading.after;
  if (page.length === pageSize) return;
  // One that was looked up meanwhile may be newer than its page.
  for (const [digest, entry] of held.known)
    if (!reading.met.has(digest) && entry.readAt < reading.startedAt) held.known.delete(digest);
  held.reading = null;
  held.loadedAt = reading.startedAt;
}

/** The next reading of all keys, if it is time for one. */
function beginReading(held: Held): void {
  const isDue = held.loadedAt === null || performance.now() - held.loadedAt > reloadEveryMs;
  if (held.reading !== null || !(held.mustReload || isDue)) return;
  held.mustReload = false;
  held.reading = { startedAt: performance.now(), met: new Set(), after: '' };
}

/** Reads what changed, once for all who wait. */
function createChangeReader(database: FollowDeps['database'], held: Held) {
  let next: bigint | null = null;
  let readAt = -Infinity;
  let turns = 0;
  let underWay: Promise<void> | null = null;

  async function readChanges(): Promise<void> {
    const startedAt = performance.now();
    // The first time only the number of the present transaction matters: all keys are read after it.
    const { changes, next: following } = await readKeyChanges(database, next ?? 2n ** 62n);
    // A later answer came sooner: this one would bring back what that one took away.
    if (startedAt < readAt) return;
    for (const { digest, record } of changes)
      if (record === null) held.known.delete(digest);
      else held.keep(digest, record);
    next = following;
    readAt = startedAt;
    turns += 1;
  }

  async function catchUp(): Promise<void> {
    try {
      await withDeadline(readChanges(), {
        ms: catchUpMs,
        onTimeout: () => new Error('Postgres did not tell in time what changed of the API keys'),
      });
    } catch (error) {
      // What was lost meanwhile with a server that is gone changes no row.
      held.mustReload = true;
      throw error;
    } finally {
      underWay = null;
    }
  }

  return {
    readAt: (): number => readAt,
    turns: (): number => turns,
    catchUp: (): Promise<void> => (underWay ??= catchUp()),
  };
}

/** All live keys by their digests, as Postgres has them; `step` reads what changed. */
export function followKeys(deps: FollowDeps) {
  const held = createHeld();
  const changes = createChangeReader(deps.database, held);
  const uses = createUseNotes(deps);
  const signs = new EventEmitter();
  const loaded = once(signs, 'loaded');

  return {
    known: held.known,
    /** When all that is known was last up to date. */
    readAt: (): number => (held.loadedAt === null ? -Infinity : changes.readAt()),
    /** How many answers about changes were taken in. */
    turns: changes.turns,
    isLoaded: (): boolean => held.loadedAt !== null,
    loaded,
    catchUp: changes.catchUp,
    noteUse: uses.add,
    async step(): Promise<'again' | 'rest'> {
      await changes.catchUp();
      beginReading(held);
      if (held.reading === null) await uses.write();
      else await readPage(deps.database, held, held.reading);
      if (held.loadedAt === null) return 'again';
      signs.emit('loaded');
      return 'rest';
    },
  };
}
