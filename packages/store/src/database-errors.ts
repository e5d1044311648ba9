/** What a connection that ended under a statement looks like: closed, reset, or ended by Postgres. */
const lostCodes = ['P1017', 'ECONNRESET', 'EPIPE', '57P01', '57P02', '08003', '08006'];
const lostTexts = ['connection terminated', 'server has closed the connection', 'is not queryable'];

type Signs = {
  codes: ReadonlySet<unknown>;
  text: RegExp;
  kinds: ReadonlySet<unknown>;
  /** Of an error that Postgres, or a pooler in front of it, sends. */
  severities?: ReadonlySet<unknown>;
};

/** What ends a connection, or refuses one; PgBouncer has one code (08P01) for all of it. */
const fatal: ReadonlySet<unknown> = new Set(['FATAL', 'PANIC']);

const lost: Signs = {
  codes: new Set(lostCodes),
  text: new RegExp(lostTexts.join('|'), 'i'),
  kinds: new Set(['ConnectionClosed']),
};

const unavailable: Signs = {
  codes: new Set([
    ...lostCodes,
    // Prisma: not reachable, timed out, no free connection, transaction not started.
    'P1001',
    'P1002',
    'P1008',
    'P2024',
    'P2028',
    // Operating system.
    'ECONNREFUSED',
    'ETIMEDOUT',
    'EHOSTUNREACH',
    'ENETUNREACH',
    'ENOTFOUND',
    'EAI_AGAIN',
    // Postgres: too many connections, starting, statement or the wait for a lock took too long.
    '53300',
    '57P03',
    '57014',
    '55P03',
    // Postgres refuses writes.
    '25006',
    '08000',
  ]),
  text: new RegExp(
    [
      ...lostTexts,
      'timeout exceeded when trying to connect',
      'query read timeout',
      "can't reach database",
    ].join('|'),
    'i',
  ),
  kinds: new Set(['ConnectionClosed', 'DatabaseNotReachable', 'SocketTimeout', 'TooManyConnections']),
  severities: fatal,
};

/** What Postgres ends a transaction with in favour of another one. */
const conflict: Signs = {
  codes: new Set(['40001', '40P01', 'P2034']),
  text: /could not serialize access|deadlock detected/,
  kinds: new Set(['TransactionWriteConflict']),
};

/** There is no way to Postgres: no statement of any kind would be answered. */
const unreachable: Signs = {
  codes: new Set([
    ...lostCodes,
    'P1001',
    'P1002',
    'ECONNREFUSED',
    'EHOSTUNREACH',
    'ENETUNREACH',
    'ENOTFOUND',
    'EAI_AGAIN',
    '57P03',
    '08000',
  ]),
  text: new RegExp([...lostTexts, "can't reach database"].join('|'), 'i'),
  kinds: new Set(['ConnectionClosed', 'DatabaseNotReachable']),
};

/** Errors come wrapped: by Prisma's client, its driver adapter, and callers. */
function shows(signs: Signs, error: unknown, depth = 0): boolean {
  if (typeof error !== 'object' || error === null || depth > 4) return false;
  if ('code' in error && signs.codes.has(error.code)) return true;
  if ('originalCode' in error && signs.codes.has(error.originalCode)) return true;
  if ('kind' in error && signs.kinds.has(error.kind)) return true;
  if ('severity' in error && signs.severities?.has(error.severity) === true) return true;
  if ('message' in error && typeof error.message === 'string' && signs.text.test(error.message)) return true;
  const inner = [
    'cause' in error ? error.cause : undefined,
    'meta' in error ? error.meta : undefined,
    'driverAdapterError' in error ? error.driverAdapterError : undefined,
  ];
  return inner.some((part) => shows(signs, part, depth + 1));
}

/**
 * Whether an error means that Postgres could not answer now (the same call may succeed later), whichever layer threw the
 * error. A conflict that outlasted its retries is one.
 */
export const isDatabaseUnavailable = (error: unknown): boolean =>
  shows(unavailable, error) || isConflict(error);

/** Whether an error means that Postgres cannot be reached at all, and not that one statement took too long. */
export const isDatabaseUnreachable = (error: unknown): boolean => shows(unreachable, error);

/** Whether a statement was lost with its connection: on another one the same may succeed at once. */
export const isConnectionLost = (error: unknown): boolean => shows(lost, error);

/** A write was refused: the server is a replica, or read only by a setting. */
const readOnly: Signs = {
  codes: new Set(['25006']),
  text: /(?!)/,
  kinds: new Set(),
};

/** Whether a write was refused because the server takes none. */
export const isReadOnlyError = (error: unknown): boolean => shows(readOnly, error);

/** How a connection says that its server is a replica; Postgres has no message for it. */
export const inRecovery = 'is in recovery: not the primary';

/** Whether there was no connection because the server is in recovery. */
export const isInRecovery = (error: unknown): boolean =>
  shows({ codes: new Set(), text: new RegExp(inRecovery), kinds: new Set() }, error);

/** The wait for a lock took longer than `lock_timeout`. */
const lockNotAvailable: Signs = {
  codes: new Set(['55P03']),
  text: /canceling statement due to lock timeout/,
  kinds: new Set(),
};

/** Whether a statement waited in vain for a lock. */
export const isLockNotAvailable = (error: unknown): boolean => shows(lockNotAvailable, error);

/**
 * Whether Postgres ended the transaction because of a concurrent one (serialization failure 40001, deadlock 40P01): it
 * had no effect, and the same again may succeed.
 */
export const isConflict = (error: unknown): boolean => shows(conflict, error);

/** Whether a row was refused because a table has no partition for it. The text names the table in any language. */
export const isPartitionMissing = (error: unknown, table: string): boolean =>
  shows({ codes: new Set(['23514']), text: /(?!)/, kinds: new Set() }, error) &&
  shows({ codes: new Set(), text: new RegExp(`\\b${table}\\b`), kinds: new Set() }, error);

/** A row with the same value of a unique index is there. */
const duplicate: Signs = {
  codes: new Set(['23505', 'P2002']),
  text: /(?!)/,
  kinds: new Set(['UniqueConstraintViolation']),
};

/** Whether a write was refused because a row has what must be unique. */
export const isDuplicate = (error: unknown): boolean => shows(duplicate, error);
