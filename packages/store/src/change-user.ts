import { canonicalJson, ServiceError } from '@billing/domain';
import type { Cause } from '@billing/domain';
import { writeAudit } from './audit.ts';
import type { AuditEntry } from './audit.ts';
import type { Holders } from './catalog/count-holders.ts';
import type { Database, Queries } from './create-database.ts';
import { quarantinesHints } from './customers/owner-source.ts';
import { noteHolders, noteUsers } from './dry-run.ts';
import { Prisma } from './generated/client.ts';
import { markBumped } from './webhooks/mark-users.ts';

export type UserKey = { projectId: string; userId: string };

/** A version that the cache has to be told of: of one user, or (`userId: null`) of the whole project. */
export type PendingInvalidation = { id: bigint; projectId: string; userId: string | null; version: bigint };

export type Changed<T> = { result: T; pending: PendingInvalidation[] };

/** Locks the project's row until the transaction ends. Throws `project_not_found`. */
export async function lockProject(tx: Queries, projectId: string): Promise<void> {
  const rows = await tx.$queryRaw<unknown[]>`
    SELECT 1 FROM public.projects WHERE id = ${projectId} FOR NO KEY UPDATE`;
  if (rows.length === 0) throw projectNotFound();
}

export const projectNotFound = (): ServiceError =>
  new ServiceError('project_not_found', 'Use the id of a project that exists.');

/**
 * Locks the user's row until the transaction ends, creating it if need be; returns its reference. Until then the project and what
 * its codes stand for do not change; many may hold it at once. Throws `project_not_found`.
 */
async function lockUser(tx: Queries, { projectId, userId }: UserKey): Promise<bigint> {
  const rows = await tx.$queryRaw<{ id: bigint }[]>`
    INSERT INTO public.users (project_id, user_id)
    SELECT p.id, ${userId}::text FROM public.projects p WHERE p.id = ${projectId} FOR SHARE
    ON CONFLICT (project_id, user_id) DO UPDATE SET version = users.version
    RETURNING id`;
  const [row] = rows;
  if (row === undefined) throw projectNotFound();
  return row.id;
}

/** Writes the invalidations of what was bumped: rows of a `PendingInvalidation` each. */
export const invalidateBumped = Prisma.sql`
  INSERT INTO public.cache_invalidations (project_id, user_id, version)
  SELECT project_id, user_id, version FROM bumped
  RETURNING id, project_id AS "projectId", user_id AS "userId", version`;

/** What follows the part `bumped` of a statement: marks, and the invalidations. `cause`: as messages say it; null: none. */
const announceBumped = (cause: Cause | null): Prisma.Sql => Prisma.sql`,
    marked AS (${markBumped(cause)})
    ${invalidateBumped}`;

/** Bumps the versions of users and writes, in the same transaction, the invalidations of what the cache has of them. */
export async function bumpUsers(
  tx: Queries,
  userRefs: readonly bigint[],
  cause: Cause | null,
): Promise<PendingInvalidation[]> {
  if (userRefs.length === 0) return [];
  const pending = await tx.$queryRaw<PendingInvalidation[]>`
    WITH bumped AS (
      UPDATE public.users SET version = version + 1 WHERE id = ANY(${[...userRefs]}::bigint[])
      RETURNING project_id, user_id, version
    )${announceBumped(cause)}`;
  noteUsers(tx, pending);
  return pending;
}

/** Bumps every user of the subscriptions and purchases with these ids, except those who were bumped already. */
export async function bumpHolders(
  database: Pick<Queries, '$queryRaw'>,
  {
    objectIds,
    except,
    cause,
  }: { objectIds: readonly string[]; except: readonly number[]; cause: Cause | null },
): Promise<PendingInvalidation[]> {
  const others = except.map(BigInt);
  const ids = [...objectIds];
  const pending = await database.$queryRaw<PendingInvalidation[]>`
    WITH locked AS MATERIALIZED (
      SELECT id FROM public.users
      WHERE id IN (
          SELECT user_ref FROM public.subscriptions WHERE id = ANY(${ids}::text[]) AND user_ref IS NOT NULL
          UNION SELECT user_ref FROM public.purchases WHERE id = ANY(${ids}::text[]) AND user_ref IS NOT NULL
          UNION SELECT user_ref FROM public.object_owners WHERE object_id = ANY(${ids}::text[]))
        AND id <> ALL(${others}::bigint[])
      ORDER BY id FOR NO KEY UPDATE),
    bumped AS (
      UPDATE public.users SET version = version + 1 WHERE id IN (SELECT id FROM locked)
      RETURNING project_id, user_id, version)${announceBumped(cause)}`;
  noteUsers(database, pending);
  return pending;
}

/**
 * Bumps the users of objects, or of what a customer has, in a project that accepts no buyer's hints: a better source names
 * them now, or may, and what they may do depends on it although no owner has changed.
 */
export async function bumpAccepted(
  tx: Queries,
  {
    projectId,
    names,
    except,
    cause,
  }: {
    projectId: string;
    names: readonly string[];
    except: readonly PendingInvalidation[];
    cause: Cause | null;
  },
): Promise<PendingInvalidation[]> {
  const ids = [...names];
  const others = except.flatMap((one) => (one.projectId === projectId ? (one.userId ?? []) : []));
  const pending = await tx.$queryRaw<PendingInvalidation[]>`
    WITH object AS MATERIALIZED (
      SELECT id, user_ref FROM public.subscriptions
      WHERE id = ANY(${ids}::text[]) OR stripe_customer_id = ANY(${ids}::text[])
      UNION ALL
      SELECT id, user_ref FROM public.purchases
      WHERE id = ANY(${ids}::text[]) OR stripe_customer_id = ANY(${ids}::text[])),
    bumped AS (
      UPDATE public.users u SET version = u.version + 1 FROM public.projects j
      WHERE j.id = ${projectId} AND ${quarantinesHints('j')} AND u.project_id = j.id
        AND u.user_id <> ALL(${others}::text[])
        AND u.id IN (
          SELECT user_ref FROM object WHERE user_ref IS NOT NULL
          UNION SELECT o.user_ref FROM public.object_owners o WHERE o.object_id IN (SELECT id FROM object))
      RETURNING u.project_id, u.user_id, u.version)${announceBumped(cause)}`;
  noteUsers(tx, pending);
  return pending;
}

/**
 * The one way in which a user's sources change outside the worker's batches, in one transaction: lock the user's row,
 * write, bump the version, write the invalidation. The caller then publishes what is pending (`publishInvalidations`).
 * `write` returns `changed: false` where nothing changed after all: then nothing is bumped. `cause`: as messages say it.
 * `audit`: what is recorded of it, after all else (`writeAudit`). Throws `project_not_found`.
 */
export async function changeUser<T>(
  database: Database,
  key: UserKey,
  write: (tx: Queries, userRef: bigint) => Promise<UserChange<T>>,
): Promise<Changed<T>> {
  return database.$transaction(async (tx) => {
    const userRef = await lockUser(tx, key);
    const { result, changed, cause = null, audit } = await write(tx, userRef);
    const pending = changed ? await bumpUsers(tx, [userRef], cause) : [];
    if (audit !== undefined) await writeAudit(tx, audit);
    return { result, pending };
  });
}

type UserChange<T> = { result: T; changed: boolean; cause?: Cause; audit?: AuditEntry };

/** Whether a change leaves something as it was. */
export const isSame = (before: unknown, after: unknown): boolean =>
  canonicalJson(before) === canonicalJson(after);

type ProjectChange<T> = {
  result: T;
  changed: Omit<Holders, 'projectId'> | 'nobody' | null;
  cause?: 'catalog' | 'policy';
};

/**
 * The same for a change of catalog or policy: a new version of the project makes all its cached answers old at once.
 * The project's row is locked, so changes of one catalog take turns. `write` returns whose answers change (`changed`;
 * `nobody`: the version grows although nobody has what is changed), and why they do (`cause`, default `catalog`).
 * Throws `project_not_found`.
 */
export async function changeProject<T>(
  database: Database,
  projectId: string,
  write: (tx: Queries) => Promise<ProjectChange<T>>,
): Promise<Changed<T>> {
  return database.$transaction(async (tx) => {
    await lockProject(tx, projectId);
    const { result, changed, cause = 'catalog' } = await write(tx);
    if (changed === null) return { result, pending: [] };
    if (changed !== 'nobody') noteHolders(tx, { projectId, ...changed });
    const pending = await tx.$queryRaw<PendingInvalidation[]>`
      WITH bumped AS (
        UPDATE public.projects SET version = version + 1 WHERE id = ${projectId}
        RETURNING id AS project_id, NULL::text AS user_id, version
      )${announceBumped(changed === 'nobody' ? null : cause)}`;
    return { result, pending };
  });
}
