import type { Instant } from '@billing/domain';
import type { Database } from '../create-database.ts';
import type { Prisma, UsageRefusal } from '../generated/client.ts';
import { given } from '../given.ts';
import { decodeCursor, timeAndIdKey, toPage } from '../page.ts';
import type { Page, PageRequest } from '../page.ts';
import type { AccountKey } from './account-key.ts';

export type { UsageRefusal } from '../generated/client.ts';

/** Usage that was queued and refused when it was applied, the last time that it was. */
export async function writeUsageRefusal(
  database: Pick<Database, 'usageRefusal'>,
  {
    eventId,
    refusedAt,
    ...refusal
  }: AccountKey & {
    eventId: string;
    refusedAt: Instant;
    code: string;
    detail: string;
    request: Prisma.InputJsonObject;
  },
): Promise<void> {
  const { projectId, userId, featureCode, code, detail, request } = refusal;
  const row = { featureCode, refusedAt: new Date(refusedAt), code, detail, request };
  await database.usageRefusal.upsert({
    where: { projectId_userId_eventId: { projectId, userId, eventId } },
    create: { projectId, userId, eventId, ...row },
    update: row,
  });
}

/** Newest first. */
export async function listUsageRefusals(
  database: Pick<Database, 'usageRefusal'>,
  {
    limit,
    cursor,
    projectId,
    onlyProject,
  }: PageRequest & { projectId: string | undefined; onlyProject: string | null },
): Promise<Page<UsageRefusal>> {
  const after = cursor === undefined ? null : decodeCursor(timeAndIdKey, cursor);
  const rows = await database.usageRefusal.findMany({
    where: {
      projectId: given(projectId),
      ...(onlyProject === null ? {} : { AND: [{ projectId: onlyProject }] }),
      ...(after === null
        ? {}
        : {
            OR: [
              { refusedAt: { lt: new Date(after[0]) } },
              { refusedAt: new Date(after[0]), eventId: { lt: after[1] } },
            ],
          }),
    },
    orderBy: [{ refusedAt: 'desc' }, { eventId: 'desc' }],
    take: limit + 1,
  });
  return toPage(rows, limit, ({ refusedAt, eventId }) => [refusedAt.getTime(), eventId]);
}
