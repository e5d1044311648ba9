import type { Endpoint } from '../../http/define-endpoint.ts';
import { exportAudit } from '../audit/export-audit.ts';
import { listAudit } from '../audit/list-audit.ts';
import { listDuplicates } from '../duplicates/list-duplicates.ts';
import { listEvents } from './list-events.ts';
import { listQuarantine } from './list-quarantine.ts';

/** What an operator reads of all projects: what came of events, what waits, what somebody has twice, who did what. */
export const recordEndpoints: readonly Endpoint[] = [
  listEvents, //      GET /api/v1/admin/events
  listQuarantine, //  GET /api/v1/admin/quarantine
  listDuplicates, //  GET /api/v1/admin/duplicates
  listAudit, //       GET /api/v1/admin/audit
  exportAudit, //     GET /api/v1/admin/audit/export
];
