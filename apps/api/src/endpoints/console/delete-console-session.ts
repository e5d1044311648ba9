import { closeSession } from '@billing/store';
import { noSessionCookie } from '../../console/session-cookie.ts';
import { defineEndpoint } from '../../http/define-endpoint.ts';

export const deleteConsoleSession = defineEndpoint({
  method: 'delete',
  path: '/console/session',
  operationId: 'deleteConsoleSession',
  tag: 'Console',
  summary: 'Sign out of the console',
  access: 'console',
  answers: [{ status: 204, description: 'Signed out, and the cookie is taken away.' }],
  errors: [],
  handle: async ({ config, database, consoleMetrics, logger }, { signedIn: { session, admin } }) => {
    await closeSession(database, session.id);
    consoleMetrics.ended('signed_out');
    logger.info('console_signed_out', { name: admin.name, session_id: session.id });
    return { body: undefined, headers: { 'set-cookie': noSessionCookie(config) } };
  },
});
