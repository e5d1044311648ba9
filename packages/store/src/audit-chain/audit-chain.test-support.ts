import { writeAudit } from '../audit.ts';
import { createDatabase } from '../create-database.ts';
import type { Database } from '../create-database.ts';

/** As a process of the service has it. */
export const openDatabase = (url: string): Database =>
  createDatabase({ url, poolSize: 8, connectTimeoutMs: 5_000, statementTimeoutMs: 10_000 });

type Entry = { id?: string; reason?: string; details?: Record<string, unknown> };

/** One audit row, in a transaction of its own. */
export const writeGrant = (
  database: Database,
  { id = 'grant_1', reason = 'case', details = {} }: Entry = {},
) =>
  database.$transaction((tx) =>
    writeAudit(tx, {
      actor: { name: 'ann', requestId: 'request-1' },
      action: 'grant.create',
      projectId: 'shop',
      target: { type: 'grant', id },
      reason,
      details,
    }),
  );
