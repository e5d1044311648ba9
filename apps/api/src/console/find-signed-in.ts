import { ServiceError } from '@billing/domain';
import type { NamedSecret } from '@billing/platform';
import { findSession, noteSessionUse } from '@billing/store';
import type { SessionRow } from '@billing/store';
import type { Request, Response } from 'express';
import type { AppDeps } from '../deps.ts';
import { requireOwnOrigin } from './check-origin.ts';
import { readSessionCookie } from './session-cookie.ts';
import { readSessionToken } from './session-token.ts';

export type SessionDeps = Pick<AppDeps, 'config' | 'authFailures' | 'database' | 'clock' | 'logger'>;

/** Who is signed in to the console. */
export type SignedIn = { admin: Omit<NamedSecret, 'secret'>; session: SessionRow };

/** Pages of other sites cannot send it without asking first, and nobody answers them. */
const consoleHeader = 'x-console';

/**
 * Finds who sent a request, by the cookie of the console's session; null: it has none, or not the header that goes with it.
 * Throws `invalid_api_key` for a session that has ended, and `origin_not_allowed`.
 */
export async function findSignedIn(
  { config, authFailures, database, clock, logger }: SessionDeps,
  { request, response }: { request: Request; response: Response },
): Promise<SignedIn | null> {
  const token = readSessionCookie(config, request.headers.cookie);
  if (!config.console.isServed || token === null || request.headers[consoleHeader] !== '1') return null;
  const now = clock();
  const read = readSessionToken(token, config.adminKeys);
  const session = read === null ? null : await findSession(database, { digest: read.digest, now });
  if (read === null || session === null)
    throw authFailures.wrong(
      { area: 'console', request, response },
      new ServiceError('invalid_api_key', 'Sign in again: the session has ended.'),
    );
  requireOwnOrigin(request, config.console);
  // Where it cannot be noted the session only ends earlier.
  await noteSessionUse(database, session, now).catch((error: unknown) =>
    logger.debug('session_use_not_noted', { error }),
  );
  const { secret: _secret, ...admin } = read.owner;
  return { admin, session };
}
