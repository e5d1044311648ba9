import { consoleSessionOut, consoleSignIn, ServiceError } from '@billing/domain';
import { addressOf, shortAddressOf } from '@billing/platform';
import { openSession } from '@billing/store';
import { sessionCookie } from '../../console/session-cookie.ts';
import { createSessionToken } from '../../console/session-token.ts';
import { createAdminFinder } from '../../http/authenticate-admin.ts';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import { consoleSessionExample, presentAdmin } from './console-session.ts';

export const createConsoleSession = defineEndpoint({
  method: 'post',
  path: '/console/session',
  operationId: 'createConsoleSession',
  tag: 'Console',
  summary: 'Sign in to the console',
  description:
    'Sets the cookie of a session, which ends 30 minutes after its last use, after 12 hours, when it is revoked, and when its name or secret leaves `ADMIN_API_KEY`. Only pages of this service may call: an `Origin` must be its own.',
  access: 'sign-in',
  body: { schema: consoleSignIn, example: { name: 'alice', secret: 'a-long-secret' } },
  answers: [
    {
      status: 201,
      description: 'Signed in.',
      schema: consoleSessionOut,
      example: consoleSessionExample,
      headers: {
        'set-cookie': { description: 'The session, not readable by scripts.', schema: { type: 'string' } },
      },
    },
  ],
  errors: [],
  handle: async (deps, { body: { name, secret }, login }) => {
    const { config, database, clock, authFailures, consoleMetrics, logger } = deps;
    const admin = createAdminFinder(config.adminKeys)(secret);
    if (admin === null || admin.name !== name)
      throw authFailures.wrong(
        login,
        new ServiceError('invalid_api_key', 'Use a name of ADMIN_API_KEY with its secret.'),
      );
    const { token, digest } = createSessionToken({ ...admin, secret });
    const session = await openSession(database, { digest, name, now: clock() });
    consoleMetrics.signedIn(admin.role);
    const from = shortAddressOf(addressOf(login.request));
    logger.info('console_signed_in', { name, session_id: session.id, address: from });
    return { body: presentAdmin(admin), headers: { 'set-cookie': sessionCookie(config, token) } };
  },
});
