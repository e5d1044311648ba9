import { adminRoles } from '@billing/domain';
import type { AdminRole } from '@billing/domain';
import { withDeadline } from '@billing/platform';
import type { Metrics } from '@billing/platform';

/** How a session was ended by hand. By itself it ends when it is not used, after its time, and with its secret. */
const endings = ['signed_out', 'revoked'] as const;
const kinds = ['read', 'change'] as const;

/** How the console is used. Refused names, secrets and cookies are in `auth_failures_total`. */
export type ConsoleMetrics = {
  signedIn: (role: AdminRole) => void;
  ended: (how: (typeof endings)[number]) => void;
  /** A call of the admin API with a session. */
  called: (role: AdminRole, kind: (typeof kinds)[number]) => void;
};

const deadlineMs = 1_000;

/** `countSessions`: those that have not ended; they are counted at each scrape, and have no value while Postgres is away. */
export function createConsoleMetrics(
  { counter, sharedMeasured }: Pick<Metrics, 'counter' | 'sharedMeasured'>,
  countSessions: () => Promise<number>,
): ConsoleMetrics {
  const signIns = counter('console_sign_ins_total', 'Sessions of the console that were begun', ['role']);
  const ended = counter('console_sessions_ended_total', 'Sessions of the console that were ended by hand', [
    'how',
  ]);
  const calls = counter('console_calls_total', 'Calls of the admin API with a session of the console', [
    'role',
    'kind',
  ]);
  sharedMeasured('console_sessions', 'Sessions of the console that have not ended', () =>
    withDeadline(countSessions(), {
      ms: deadlineMs,
      onTimeout: () => new Error('Postgres did not count the sessions'),
    }).catch(() => undefined),
  );
  // From the start: `increase` sees the first of each.
  for (const role of adminRoles) {
    signIns.inc({ role }, 0);
    for (const kind of kinds) calls.inc({ role, kind }, 0);
  }
  for (const how of endings) ended.inc({ how }, 0);
  return {
    signedIn: (role) => signIns.inc({ role }),
    ended: (how) => ended.inc({ how }),
    called: (role, kind) => calls.inc({ role, kind }),
  };
}
