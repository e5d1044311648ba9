import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { redactText } from '../logging/redact.ts';
import { hostUrls, placeOf } from '../env/host-urls.ts';
import { postgresConnection } from '../postgres-connection.ts';
import { MigrationError } from './migration-error.ts';

/** The longest that one of several hosts may take to answer. */
const hostTimeoutMs = 1_000;

/** Not ready yet: no listener, no name (a container network that is coming up), or Postgres still starting. */
const notReadyCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENOENT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  '57P01',
  '57P03',
  '53300',
]);

export type Connected = {
  client: Client;
  /** The URL of the one host that is the primary. */
  url: string;
};

/**
 * Connects to the primary, waiting up to `waitMs` milliseconds for one that is not ready yet. Several hosts are tried in their
 * order, each for at most a second. A wrong password or database name ends the wait at once.
 */
export async function connectWhenReady(databaseUrl: string, waitMs: number): Promise<Connected> {
  const deadline = Date.now() + waitMs;
  const urls = hostUrls(databaseUrl);
  const timeoutMs = urls.length === 1 ? 5_000 : hostTimeoutMs;
  for (let pauseMs = 100; ; pauseMs = Math.min(pauseMs * 1.5, 2_000)) {
    let failure: unknown;
    for (const url of urls)
      try {
        return { client: await connectToPrimary(url, timeoutMs), url };
      } catch (error) {
        if (!isNotReady(error)) throw cannotConnect(databaseUrl, error);
        failure = error;
      }
    if (Date.now() + pauseMs > deadline) throw cannotConnect(databaseUrl, failure);
    await sleep(pauseMs * (0.75 + Math.random() / 2));
  }
}

/** Throws where the server is away, or in recovery: that is no primary, and refuses writes. */
async function connectToPrimary(url: string, timeoutMs: number): Promise<Client> {
  const client = new Client({
    ...postgresConnection(url),
    connectionTimeoutMillis: timeoutMs,
    query_timeout: timeoutMs,
  });
  // A connection that drops later is reported by the query that needs it.
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ isInRecovery: boolean }>(
      'SELECT pg_is_in_recovery() AS "isInRecovery"',
    );
    if (rows[0]?.isInRecovery === true) throw new NotPrimary();
    return client;
  } catch (error) {
    // A server that hangs would not answer this either.
    client.end().catch(() => undefined);
    throw error;
  }
}

class NotPrimary extends Error {
  readonly code = '57P03';
  constructor() {
    super('it is in recovery: not the primary');
  }
}

function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  if ('code' in error && typeof error.code === 'string') return error.code;
  // A name with several addresses: one error for each.
  return 'errors' in error && Array.isArray(error.errors) ? codeOf(error.errors[0]) : undefined;
}

function messageOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'message' in error
    ? String(error.message)
    : String(error);
}

function isNotReady(error: unknown): boolean {
  const code = codeOf(error);
  return code === undefined ? /timeout/i.test(messageOf(error)) : notReadyCodes.has(code);
}

function cannotConnect(databaseUrl: string, error: unknown): MigrationError {
  const where = placeOf(databaseUrl);
  const reason = error instanceof NotPrimary ? error.message : (codeOf(error) ?? messageOf(error));
  return new MigrationError(
    `Can't connect to Postgres at ${where} (${redactText(reason)}). Check DATABASE_URL and that the server runs.`,
    { cause: error },
  );
}
