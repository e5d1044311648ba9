import type { Endpoint } from '../../http/define-endpoint.ts';
import { exportAudit } from '../audit/export-audit.ts';
import { listAudit } from '../audit/list-audit.ts';
import { verifyAudit } from '../audit/verify-audit.ts';
import { listDuplicates } from '../duplicates/list-duplicates.ts';
import { listSoldPurchases } from '../sold/list-purchases.ts';
import { listRevenueDays } from '../sold/list-revenue-days.ts';
import { listSoldSubscriptions } from '../sold/list-subscriptions.ts';
import { getEvent } from './get-event.ts';
import { listEvents } from './list-events.ts';
import { listQuarantine } from './list-quarantine.ts';

/** What was sold, what became of events, and who did what. Mounted behind `/events/replay`, which `getEvent` would match. */
export const recordEndpoints: readonly Endpoint[] = [
  listSoldSubscriptions, //      GET    /api/v1/admin/subscriptions
  listSoldPurchases, //          GET    /api/v1/admin/purchases
  listRevenueDays, //            GET    /api/v1/admin/mrr
  listEvents, //                 GET    /api/v1/admin/events
  getEvent, //                   GET    /api/v1/admin/events/{event_id}
  listQuarantine, //             GET    /api/v1/admin/quarantine
  listDuplicates, //             GET    /api/v1/admin/duplicates
  listAudit, //                  GET    /api/v1/admin/audit
  exportAudit, //                GET    /api/v1/admin/audit/export
  verifyAudit, //                GET    /api/v1/admin/audit/verify
];
