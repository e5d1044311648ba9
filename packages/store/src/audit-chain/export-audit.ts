import type { AuditExportQuery } from '@billing/domain';
import { z } from 'zod';
import type { AuditRow } from '../audit.ts';
import type { Database } from '../create-database.ts';
import { decodeCursor, encodeCursor, sequenceKey } from '../page.ts';
import { readChain } from './read-chain.ts';

/** An audit row with its place in the chain; digests in hex. */
export type ExportedAudit = AuditRow & {
  subject: string;
  subjectDigest: string;
  previousDigest: string;
  digest: string;
};

const json = z.record(z.string(), z.unknown());

/**
 * Audit rows since a cursor, oldest first, and the cursor to go on with, at the end too: rows become visible in the order of
 * their ids, so that none is left out. Throws `invalid_request` for a foreign cursor.
 */
export async function exportAudit(
  database: Database,
  { cursor, limit, onlyProject }: AuditExportQuery & { onlyProject: string | null },
): Promise<{ rows: ExportedAudit[]; nextCursor: string }> {
  const after = cursor === undefined ? 0n : BigInt(decodeCursor(sequenceKey, cursor)[0]);
  const chain = await readChain(database, { after, limit, projectId: onlyProject });
  return {
    rows: chain.map(({ details, ...row }) => ({
      ...row,
      details: details === null ? {} : json.parse(JSON.parse(details)),
    })),
    nextCursor: encodeCursor([String(chain.at(-1)?.id ?? after)]),
  };
}
