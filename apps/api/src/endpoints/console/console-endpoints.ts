import type { Endpoint } from '../../http/define-endpoint.ts';
import { getOverview } from '../overview/get-overview.ts';
import { listSamples } from '../overview/list-samples.ts';
import { listNames } from '../sessions/list-names.ts';
import { listSessions } from '../sessions/list-sessions.ts';
import { revokeSession } from '../sessions/revoke-session.ts';
import { createConsoleSession } from './create-console-session.ts';
import { deleteConsoleSession } from './delete-console-session.ts';
import { getConsole } from './get-console.ts';
import { getConsoleSession } from './get-console-session.ts';

/** What an administrator reads of the service itself, and of who is signed in. */
export const consoleAdminEndpoints: readonly Endpoint[] = [
  getOverview, //                GET    /api/v1/admin/overview
  listSamples, //                GET    /api/v1/admin/samples
  listSessions, //               GET    /api/v1/admin/sessions
  revokeSession, //              DELETE /api/v1/admin/sessions/{session_id}
  listNames, //                  GET    /api/v1/admin/names
];

/** Of the console's pages alone; none with `CONSOLE=false`. */
export const consoleEndpoints: readonly Endpoint[] = [
  createConsoleSession, //       POST   /console/session
  getConsoleSession, //          GET    /console/session
  deleteConsoleSession, //       DELETE /console/session
  getConsole, //                 GET    /console
];
