import type { Endpoint } from '../../http/define-endpoint.ts';
import { adjustUsage } from './adjust-usage.ts';
import { checkUsage } from './check-usage.ts';
import { checkUsageBatch } from './check-usage-batch.ts';
import { checkUserUsage } from './check-user-usage.ts';
import { confirmReservation } from './confirm-reservation.ts';
import { createReservation } from './create-reservation.ts';
import { getReservation } from './get-reservation.ts';
import { getUsage } from './get-usage.ts';
import { getUserUsage } from './get-user-usage.ts';
import { listTopUsers } from './list-top-users.ts';
import { listUsageEvents } from './list-usage-events.ts';
import { listMeterReports } from './list-meter-reports.ts';
import { listUsageRefusals } from './list-usage-refusals.ts';
import { listUserUsageEvents } from './list-user-usage-events.ts';
import { recordUsage } from './record-usage.ts';
import { recordUsageBatch } from './record-usage-batch.ts';
import { releaseReservation } from './release-reservation.ts';
import { setLevel } from './set-level.ts';

/** What a project asks of usage. */
export const usageEndpoints: readonly Endpoint[] = [
  checkUsage, //                 GET    /api/v1/check
  checkUsageBatch, //            POST   /api/v1/check/batch
  recordUsage, //                POST   /api/v1/usage
  getUsage, //                   GET    /api/v1/usage
  recordUsageBatch, //           POST   /api/v1/usage/batch
  setLevel, //                   PUT    /api/v1/usage/level
  listUsageEvents, //            GET    /api/v1/usage/events
  createReservation, //          POST   /api/v1/usage/reservations
  getReservation, //             GET    /api/v1/usage/reservations/{reservation_id}
  confirmReservation, //         POST   /api/v1/usage/reservations/{reservation_id}/confirm
  releaseReservation, //         POST   /api/v1/usage/reservations/{reservation_id}/release
];

/** What an operator does with usage. */
export const usageAdminEndpoints: readonly Endpoint[] = [
  checkUserUsage, //             GET    /api/v1/admin/projects/{project_id}/usage/check
  getUserUsage, //               GET    /api/v1/admin/projects/{project_id}/usage
  listUserUsageEvents, //        GET    /api/v1/admin/projects/{project_id}/usage/events
  listTopUsers, //               GET    /api/v1/admin/projects/{project_id}/usage/top-users
  adjustUsage, //                POST   /api/v1/admin/usage/adjust
  listUsageRefusals, //          GET    /api/v1/admin/usage/refusals
  listMeterReports, //           GET    /api/v1/admin/usage/meter-reports
];
