import { randomUUID } from 'node:crypto';
import { hourMs, minuteMs, secondMs, ServiceError } from '@billing/domain';
import type { Instant } from '@billing/domain';
import { writeAudit } from '../audit.ts';
import type { Actor } from '../audit.ts';
import type { Database } from '../create-database.ts';
import type { ConsoleSession } from '../generated/client.ts';
import { decodeCursor, timeAndIdKey, toPage } from '../page.ts';
import type { Page, PageRequest } from '../page.ts';

/** A session without its digest, as it may be shown. */
export type SessionRow = Omit<ConsoleSession, 'digest'>;

/** A session ends so long after its last use, and at the latest so long after its begin. */
export const sessionIdleMs = 30 * minuteMs;
export const sessionMs = 12 * hourMs;
/** A use is noted no more often: a page asks several times a second. */
const noteUseEveryMs = 10 * secondMs;

const hidden = { digest: true } as const;

const inForce = (now: Instant) => ({
  expiresAt: { gt: new Date(now) },
  lastUsedAt: { gt: new Date(now - sessionIdleMs) },
});

/** Begins a session; `digest`: of what its cookie holds. */
export const openSession = (
  database: Database,
  { digest, name, now }: { digest: Uint8Array<ArrayBuffer>; name: string; now: Instant },
): Promise<SessionRow> =>
  database.consoleSession.create({
    data: {
      id: `sess_${randomUUID().replaceAll('-', '')}`,
      digest,
      name,
      createdAt: new Date(now),
      lastUsedAt: new Date(now),
      expiresAt: new Date(now + sessionMs),
    },
    omit: hidden,
  });

/** The session with this digest; null: there is none, or it has ended. */
export const findSession = (
  database: Database,
  { digest, now }: { digest: Uint8Array<ArrayBuffer>; now: Instant },
): Promise<SessionRow | null> =>
  database.consoleSession.findFirst({ where: { digest, ...inForce(now) }, omit: hidden });

/** Notes that a session is used now, from which its idle time counts. */
export async function noteSessionUse(
  database: Database,
  { id, lastUsedAt }: SessionRow,
  now: Instant,
): Promise<void> {
  if (now - lastUsedAt.getTime() < noteUseEveryMs) return;
  await database.$executeRaw`
    UPDATE public.console_sessions SET last_used_at = ${new Date(now)} WHERE id = ${id} AND last_used_at < ${new Date(now)}`;
}

/** Ends a session, by whoever is signed in with it. */
export async function closeSession(database: Database, id: string): Promise<void> {
  await database.$executeRaw`DELETE FROM public.console_sessions WHERE id = ${id}`;
}

/** How many sessions of these names have not ended. */
export const countSessions = (
  database: Database,
  { names, now }: { names: readonly string[]; now: Instant },
): Promise<number> => database.consoleSession.count({ where: { name: { in: [...names] }, ...inForce(now) } });

/** The sessions of these names that have not ended, newest first. */
export async function listSessions(
  database: Database,
  { names, now, limit, cursor }: PageRequest & { names: readonly string[]; now: Instant },
): Promise<Page<SessionRow>> {
  const position = cursor === undefined ? {} : { OR: before(decodeCursor(timeAndIdKey, cursor)) };
  const rows = await database.consoleSession.findMany({
    where: { name: { in: [...names] }, ...inForce(now), ...position },
    orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
    take: limit + 1,
    omit: hidden,
  });
  return toPage(rows, limit, (row) => [row.createdAt.getTime(), row.id]);
}

function before([at, id]: [number, string]) {
  const createdAt = new Date(at);
  return [{ createdAt: { lt: createdAt } }, { createdAt, id: { lt: id } }];
}

/** Ends somebody's session. Throws `session_not_found`. */
export async function revokeSession(
  database: Database,
  { sessionId, now, actor }: { sessionId: string; now: Instant; actor: Actor },
): Promise<void> {
  await database.$transaction(async (tx) => {
    const session = await tx.consoleSession.findFirst({ where: { id: sessionId, ...inForce(now) } });
    if (session === null)
      throw new ServiceError('session_not_found', 'Use the session_id of a session that has not ended.');
    await tx.consoleSession.deleteMany({ where: { id: sessionId } });
    await writeAudit(tx, {
      actor,
      action: 'console_session.revoke',
      projectId: null,
      target: { type: 'console_session', id: sessionId },
      change: { before: { name: session.name }, after: null },
    });
  });
}

/** Removes the rows of sessions that have ended. */
export const deleteEndedSessions = async (database: Database, now: Instant): Promise<number> =>
  database.$executeRaw`
    DELETE FROM public.console_sessions
    WHERE expires_at <= ${new Date(now)} OR last_used_at <= ${new Date(now - sessionIdleMs)}`;
