import type { AuditQuery } from '@billing/domain';
import { decodeCursor, sequenceKey, toPage } from '../page.ts';
import type { Page } from '../page.ts';
import type { Database } from '../create-database.ts';
import type { AuditEntry as AuditRow } from '../generated/client.ts';

export type { AuditEntry as AuditRow } from '../generated/client.ts';

/** The audit log, newest first. */
export async function listAudit(database: Database, query: AuditQuery): Promise<Page<AuditRow>> {
  const { limit, cursor, from, to } = query;
  const before = cursor === undefined ? null : BigInt(decodeCursor(sequenceKey, cursor)[0]);
  const rows = await database.auditEntry.findMany({
    where: {
      ...(query.project_id === undefined ? {} : { projectId: query.project_id }),
      ...(query.actor === undefined ? {} : { actor: query.actor }),
      ...(query.action === undefined ? {} : { action: query.action }),
      ...(query.target_type === undefined ? {} : { targetType: query.target_type }),
      ...(query.target_id === undefined ? {} : { targetId: query.target_id }),
      ...(before === null ? {} : { id: { lt: before } }),
      at: {
        ...(from === undefined ? {} : { gte: new Date(from) }),
        ...(to === undefined ? {} : { lte: new Date(to) }),
      },
    },
    orderBy: { id: 'desc' },
    take: limit + 1,
  });
  return toPage(rows, limit, (row) => [String(row.id)]);
}
