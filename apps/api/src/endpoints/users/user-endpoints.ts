import type { Endpoint } from '../../http/define-endpoint.ts';
import { eraseUser } from './erase-user.ts';
import { exportUser } from './export-user.ts';
import { findUsers } from './find-users.ts';
import { getUser } from './get-user.ts';
import { listTimeline } from './list-timeline.ts';

/** What an operator asks and does about one user. */
export const userEndpoints: readonly Endpoint[] = [
  findUsers, //                  GET    /api/v1/admin/users
  getUser, //                    GET    /api/v1/admin/users/{project_id}/{user_id}
  listTimeline, //               GET    /api/v1/admin/users/{project_id}/{user_id}/timeline
  eraseUser, //                  POST   /api/v1/admin/users/erase
  exportUser, //                 POST   /api/v1/admin/users/export
];
