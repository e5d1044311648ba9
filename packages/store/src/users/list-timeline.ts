import { ServiceError, timelineKinds } from '@billing/domain';
import type { TimelineKind, TimelineQuery } from '@billing/domain';
import { writeAudit } from '../audit.ts';
import type { Actor } from '../audit.ts';
import type { UserKey } from '../change-user.ts';
import type { Database, Queries } from '../create-database.ts';
import { Prisma } from '../generated/client.ts';
import { decodeCursor, timeKindAndIdKey, toPage } from '../page.ts';
import type { Page } from '../page.ts';
import { customersOf, namesOf } from './read-user.ts';
import { timelineParts } from './timeline-parts.ts';
import type { TimelineOwner, TimelinePosition } from './timeline-parts.ts';

/** Something that happened to a user, or was done to it. */
export type TimelineEntry = {
  at: Date;
  kind: TimelineKind;
  /** With moment and kind it says where the entry stands. */
  key: string;
  id: string;
  action: string;
  subject: string | null;
  status: string | null;
  reason: string | null;
  actor: string | null;
  quantity: bigint | null;
};

async function ownerOf(tx: Queries, { projectId, userId }: UserKey): Promise<TimelineOwner> {
  const user = await tx.user.findUnique({ where: { projectId_userId: { projectId, userId } } });
  if (user === null) return { projectId, userId, userRef: null, names: [] };
  const customers = await customersOf(tx, user.id);
  const names = [...(await namesOf(tx, user.id)), ...customers.map((one) => one.stripeCustomerId)];
  return { projectId, userId, userRef: user.id, names };
}

function positionOf(cursor: string | undefined): TimelinePosition | null {
  if (cursor === undefined) return null;
  const [at, kind, key] = decodeCursor(timeKindAndIdKey, cursor);
  return { at, kind, key };
}

/** The newest of each kind, of which the newest of all are the page. */
function readEntries(
  tx: Queries,
  owner: TimelineOwner,
  { limit, cursor, kind }: TimelineQuery,
): Promise<TimelineEntry[]> {
  const options = { limit: limit + 1, position: positionOf(cursor) };
  const kinds = kind === undefined ? timelineKinds : [kind];
  const parts = kinds.map((one) => Prisma.sql`(${timelineParts[one](owner, options)})`);
  return tx.$queryRaw<TimelineEntry[]>`
    SELECT * FROM (${Prisma.join(parts, ' UNION ALL ')}) entries
    ORDER BY at DESC, kind COLLATE "C" DESC, key COLLATE "C" DESC LIMIT ${options.limit}`;
}

/**
 * What happened to a user and what was done, newest first. Throws `user_not_found` where nothing is known. Audited with the
 * first page: who looked. `reader`: where it is read, default where it is audited.
 */
export async function listTimeline(
  database: Database,
  { query, ...key }: UserKey & { query: TimelineQuery },
  { actor, reader = database }: { actor: Actor; reader?: Database },
): Promise<Page<TimelineEntry>> {
  const { owner, rows } = await reader.$transaction(async (tx) => {
    const found = await ownerOf(tx, key);
    return { owner: found, rows: await readEntries(tx, found, query) };
  });
  if (owner.userRef === null && rows.length === 0 && query.cursor === undefined)
    throw new ServiceError('user_not_found', 'Find the user by another id: GET /api/v1/admin/users?query=…');
  if (query.cursor === undefined)
    await database.$transaction((tx) =>
      writeAudit(tx, {
        actor,
        action: 'user.read',
        projectId: key.projectId,
        target: { type: 'user', id: key.userId },
        details: { part: 'timeline' },
      }),
    );
  return toPage(rows, query.limit, (row) => [row.at.getTime(), row.kind, row.key]);
}
