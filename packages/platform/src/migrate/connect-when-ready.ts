import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { redactText } from '../logging/redact.ts';
import { postgresConnection } from '../postgres-connection.ts';
import { MigrationError } from './migration-error.ts';

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

/**
 * Connects to Postgres, waiting up to `waitMs` milliseconds for one that is not ready yet. A wrong password or
 * database name ends the wait at once.
 */
export async function connectWhenReady(databaseUrl: string, waitMs: number): Promise<Client> {
  const deadline = Date.now() + waitMs;
  for (let pauseMs = 100; ; pauseMs = Math.min(pauseMs * 1.5, 2_000)) {
    const client = new Client({ ...postgresConnection(databaseUrl), connectionTimeoutMillis: 5_000 });
    // A connection that drops later is reported by the query that needs it.
    client.on('error', () => undefined);
    try {
      await client.connect();
      return client;
    } catch (error) {
      await client.end().catch(() => undefined);
      if (!isNotReady(error) || Date.now() + pauseMs > deadline) throw cannotConnect(databaseUrl, error);
    }
    await sleep(pauseMs * (0.75 + Math.random() / 2));
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
  const { hostname, port, pathname } = new URL(databaseUrl);
  const where = `${hostname}:${port || '5432'}${pathname}`;
  const reason = codeOf(error) ?? messageOf(error);
  return new MigrationError(
    `Can't connect to Postgres at ${where} (${redactText(reason)}). Check DATABASE_URL and that the server runs.`,
    { cause: error },
  );
}
