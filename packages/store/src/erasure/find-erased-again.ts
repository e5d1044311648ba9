import { namedUsers } from '@billing/domain';
import type { UserKey } from '../change-user.ts';
import type { Database } from '../create-database.ts';
import { payloadOf } from '../event-payloads/payload-sql.ts';
import { Prisma } from '../generated/client.ts';
import type { ErasureKeys } from './erasure-keys.ts';
import { findErasedUsers } from './find-erased.ts';

/** A user whom a row names; without a project it may be one of any. */
type Named = { projectId: string | null; userId: string };
type NamedPage = { named: Named[]; last: string | null };
type ReadPage = (database: Database, after: string) => Promise<NamedPage>;

/** A user who was erased, and is there again by a restore. */
export type ErasedAgain = UserKey & { erasedAt: Date };

const rowsAtOnce = 5_000;
const eventsAtOnce = 2_000;

const usersPage: ReadPage = async (database, after) => {
  const rows = await database.$queryRaw<(UserKey & { id: string })[]>`
    SELECT id::text, project_id AS "projectId", user_id AS "userId" FROM public.users
    WHERE id > ${after === '' ? '0' : after}::bigint ORDER BY users.id LIMIT ${rowsAtOnce}`;
  return { named: rows, last: rows.at(-1)?.id ?? null };
};

const claimsPage =
  (table: 'subscriptions' | 'purchases'): ReadPage =>
  async (database, after) => {
    const rows = await database.$queryRaw<{ id: string; projectId: string | null; userId: string | null }[]>`
      SELECT id, claimed_project_id AS "projectId", claimed_user_id AS "userId" FROM ${Prisma.raw(`public.${table}`)}
      WHERE id > ${after} ORDER BY id LIMIT ${rowsAtOnce}`;
    const named = rows.flatMap(({ projectId, userId }) => (userId === null ? [] : [{ projectId, userId }]));
    return { named, last: rows.at(-1)?.id ?? null };
  };

const eventsPage: ReadPage = async (database, after) => {
  const rows = await database.$queryRaw<{ id: string; payload: unknown }[]>`
    SELECT e.event_id AS id, ${payloadOf('e')} AS payload FROM public.stripe_events e
    WHERE e.event_id > ${after} ORDER BY event_id LIMIT ${eventsAtOnce}`;
  return { named: rows.flatMap(({ payload }) => namedUsers(payload)), last: rows.at(-1)?.id ?? null };
};

const pages = [usersPage, claimsPage('subscriptions'), claimsPage('purchases'), eventsPage];

/** Those of the users who came back by intent: their row is newer than the erasure. */
async function findBack(database: Database, erased: readonly ErasedAgain[]): Promise<ReadonlySet<string>> {
  const rows = await database.$queryRaw<{ key: string }[]>`
    SELECT asked.key FROM jsonb_to_recordset(${JSON.stringify(
      erased.map((one) => ({
        key: keyOf(one),
        project_id: one.projectId,
        user_id: one.userId,
        at: one.erasedAt.toISOString(),
      })),
    )}::jsonb) AS asked(key text, project_id text, user_id text, at timestamptz)
    JOIN public.users u ON u.project_id = asked.project_id AND u.user_id = asked.user_id AND u.created_at >= asked.at`;
  return new Set(rows.map((row) => row.key));
}

const keyOf = ({ projectId, userId }: UserKey): string => JSON.stringify([projectId, userId]);

/**
 * Finds the users who were erased and are there again: in a database that was restored from before, or whose tombstones were.
 * Tombstones tell nobody's id, so all that names a user is looked through. Throws ErasureKeyMissing.
 */
export async function findErasedAgain(database: Database, keys: ErasureKeys): Promise<ErasedAgain[]> {
  const projects = await database.$queryRaw<{ id: string }[]>`
    SELECT id FROM public.projects p WHERE EXISTS (SELECT FROM public.erased_users e WHERE e.project_id = p.id)`;
  if (projects.length === 0) return [];
  const found = new Map<string, ErasedAgain>();
  for (const readPage of pages) {
    for (let after: string | null = ''; after !== null;) {
      const { named, last }: NamedPage = await readPage(database, after);
      const users = named.flatMap(({ projectId, userId }) =>
        projects
          .filter(({ id }) => projectId === null || projectId === id)
          .map(({ id }) => ({ projectId: id, userId })),
      );
      for (const [userId, inProjects] of await findErasedUsers(database, keys, users))
        for (const [projectId, at] of inProjects) {
          const one = { projectId, userId, erasedAt: new Date(at) };
          found.set(keyOf(one), one);
        }
      after = last;
    }
  }
  const back = await findBack(database, [...found.values()]);
  return [...found].filter(([key]) => !back.has(key)).map(([, one]) => one);
}
