import { auditExportQuery } from '@billing/domain';
import type { AuditLine } from '@billing/domain';
import { exportAudit as readRows } from '@billing/store';
import type { ExportedAudit } from '@billing/store';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import { presentAudit } from './list-audit.ts';

const presentLine = (row: ExportedAudit): AuditLine => ({
  ...presentAudit(row),
  subject: row.subject,
  subject_digest: row.subjectDigest,
  previous_digest: row.previousDigest,
  digest: row.digest,
});

export const exportAudit = defineEndpoint({
  method: 'get',
  path: '/api/v1/admin/audit/export',
  operationId: 'exportAudit',
  tag: 'Records',
  summary: 'The audit log since a cursor, as NDJSON',
  description:
    'Oldest first, one JSON object a line: an `AuditEntry` with `subject` (a random number that leads to the readable part) and the digests that make the rows a chain, `subject_digest`, `previous_digest` and `digest` (SHA-256, in hex). `x-next-cursor` is in every answer, that without a row included: ask again with it for what came since; no row is left out. A line tells what was readable then: what is erased later stays in files that hold it.',
  access: { admin: 'viewer', limitedBy: 'handler' },
  readsReplica: true,
  query: auditExportQuery,
  answers: [
    {
      status: 200,
      description: 'A line for each row; empty: nothing came since.',
      contentType: 'application/x-ndjson',
      headers: {
        'x-next-cursor': { description: 'The `cursor` to go on with.', schema: { type: 'string' } },
      },
    },
  ],
  errors: [],
  handle: async ({ reader }, { query, onlyProject }) => {
    const { rows, nextCursor } = await readRows(reader, { ...query, onlyProject });
    const lines = rows.map((row) => `${JSON.stringify(presentLine(row))}\n`);
    return { text: lines.join(''), headers: { 'x-next-cursor': nextCursor } };
  },
});
