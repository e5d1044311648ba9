import { auditList, auditQuery } from '@billing/domain';
import type { AuditOut } from '@billing/domain';
import { listAudit as listRows } from '@billing/store';
import type { AuditRow } from '@billing/store';
import { z } from 'zod';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import { pageExample, presentPage } from '../page.ts';

const details = z.record(z.string(), z.unknown());

export const presentAudit = (row: AuditRow): AuditOut => ({
  audit_id: String(row.id),
  at: row.at.toISOString(),
  actor: row.actor,
  action: row.action,
  project_id: row.projectId,
  target_type: row.targetType,
  target_id: row.targetId,
  reason: row.reason,
  details: details.parse(row.details),
  request_id: row.requestId,
  erased_at: row.erasedAt?.toISOString() ?? null,
});

export const auditExample = {
  audit_id: '17',
  at: '2026-11-22T10:00:00.000Z',
  actor: 'alice',
  action: 'grant.create',
  project_id: 'shop',
  target_type: 'grant',
  target_id: 'grant_8c1f',
  reason: 'Sorry for the outage',
  details: { feature_code: 'premium_export' },
  request_id: '0b9d4c0e-6f0e-4d39-9a44-2f5c1d0f3a10',
  erased_at: null,
};

export const listAudit = defineEndpoint({
  method: 'get',
  path: '/api/v1/admin/audit',
  operationId: 'listAudit',
  tag: 'Records',
  summary: 'Who did what, when and why',
  description: 'Rows are never changed or deleted. Of a window of time both ends count, `from` and `to`.',
  access: { admin: 'viewer', limitedBy: 'handler' },
  readsReplica: true,
  query: auditQuery,
  answers: [
    { status: 200, description: 'Newest first.', schema: auditList, example: pageExample(auditExample) },
  ],
  errors: [],
  handle: async ({ reader }, { query, onlyProject }) => ({
    body: presentPage(await listRows(reader, { ...query, onlyProject }), presentAudit),
  }),
});
