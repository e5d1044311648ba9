import type { Erased, Instant } from '@billing/domain';
import type { Finding } from '@billing/platform';
import type { UserKey } from '../change-user.ts';
import type { Queries } from '../create-database.ts';
import { Prisma } from '../generated/client.ts';
import type { ErasureKeys } from './erasure-keys.ts';

/** Users were erased with a key that this process lacks: it could not tell whom an event brings back. */
export class ErasureKeyMissing extends Error {
  override readonly name = 'ErasureKeyMissing';
  readonly code = 'erasure_key_missing';
}

type Reader = Pick<Queries, '$queryRaw'>;

/** The names of all keys that erased users' digests were made with: one look into the index for each. */
const usedKeys = Prisma.sql`
  WITH RECURSIVE used AS (
    (SELECT key_id FROM public.erased_users ORDER BY key_id LIMIT 1)
    UNION ALL
    SELECT (SELECT e.key_id FROM public.erased_users e WHERE e.key_id > used.key_id ORDER BY e.key_id LIMIT 1)
    FROM used WHERE used.key_id IS NOT NULL)
  SELECT key_id FROM used WHERE key_id IS NOT NULL`;

/** The names of keys with which users were erased and that this process lacks. */
export async function findMissingErasureKeys(database: Reader, { ids }: ErasureKeys): Promise<string[]> {
  const rows = await database.$queryRaw<{ key_id: string }[]>`SELECT key_id FROM (${usedKeys}) one`;
  return rows.map((row) => row.key_id).filter((id) => !ids.includes(id));
}

/** What `/ready` says of keys that are missing, and of nothing else. */
export async function checkErasureKeys(
  database: Reader,
  keys: ErasureKeys,
  state: 'noted' | 'blocked',
): Promise<Record<string, Finding>> {
  const missing = await findMissingErasureKeys(database, keys);
  if (missing.length === 0) return {};
  return { erasure: { state, says: `ERASURE_KEY lacks the key ${missing.join(', ')}` } };
}

type Found = { digest: string; at: Date };

async function findDigests(database: Reader, digests: readonly string[]): Promise<Found[]> {
  return database.$queryRaw<Found[]>`
    SELECT encode(digest, 'hex') AS digest, erased_at AS at FROM public.erased_users
    WHERE digest = ANY(ARRAY(SELECT decode(one, 'hex') FROM unnest(${[...digests]}::text[]) AS one))`;
}

/** Of users: those who were erased, and when, by user and project. Throws ErasureKeyMissing. */
export async function findErasedUsers(
  database: Reader,
  keys: ErasureKeys,
  users: readonly UserKey[],
): Promise<Erased['users']> {
  const erased = new Map<string, Map<string, Instant>>();
  if (users.length === 0) return erased;
  const missing = await findMissingErasureKeys(database, keys);
  if (missing.length > 0) throw new ErasureKeyMissing(`ERASURE_KEY lacks the key ${missing.join(', ')}.`);
  const byDigest = new Map(
    users.flatMap((user) => keys.digestsOf(user).map(({ digest }) => [digest, user] as const)),
  );
  for (const { digest, at } of await findDigests(database, [...byDigest.keys()])) {
    const user = byDigest.get(digest);
    if (user === undefined) continue;
    const inProjects = erased.get(user.userId) ?? new Map<string, Instant>();
    erased.set(user.userId, inProjects.set(user.projectId, at.getTime()));
  }
  return erased;
}
