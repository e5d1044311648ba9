const unreachableCodes: ReadonlySet<string> = new Set([
  // Prisma: not reachable, timed out, closed the connection, no free connection, transaction not started.
  'P1001',
  'P1002',
  'P1008',
  'P1017',
  'P2024',
  'P2028',
  // Operating system.
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  // Postgres: too many connections, shutting down, crashed, starting, statement took too long.
  '53300',
  '57P01',
  '57P02',
  '57P03',
  '57014',
  '08000',
  '08003',
  '08006',
]);

const unreachableText =
  /timeout exceeded when trying to connect|query read timeout|connection terminated|server has closed the connection|can't reach database/i;

const unreachableKinds: ReadonlySet<unknown> = new Set([
  'DatabaseNotReachable',
  'ConnectionClosed',
  'SocketTimeout',
  'TooManyConnections',
]);

/** Whether an error means that Postgres could not answer now (the same call may succeed later), whoever threw it. */
export function isDatabaseUnavailable(error: unknown, depth = 0): boolean {
  if (typeof error !== 'object' || error === null || depth > 4) return false;
  if ('code' in error && typeof error.code === 'string' && unreachableCodes.has(error.code)) return true;
  if (
    'originalCode' in error &&
    typeof error.originalCode === 'string' &&
    unreachableCodes.has(error.originalCode)
  )
    return true;
  if ('kind' in error && unreachableKinds.has(error.kind)) return true;
  if ('message' in error && typeof error.message === 'string' && unreachableText.test(error.message))
    return true;
  const inner = [
    'cause' in error ? error.cause : undefined,
    'meta' in error ? error.meta : undefined,
    'driverAdapterError' in error ? error.driverAdapterError : undefined,
  ];
  return inner.some((part) => isDatabaseUnavailable(part, depth + 1));
}
