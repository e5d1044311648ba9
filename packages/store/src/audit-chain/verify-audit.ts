import type { Database } from '../create-database.ts';
import { checkRow } from './check-row.ts';
import type { AuditProblem } from './check-row.ts';
import { firstPreviousDigest } from './digests.ts';
import { readAuditHead, readChain } from './read-chain.ts';
import type { AuditHead, ChainRow } from './read-chain.ts';

export type AuditVerification = {
  /** Rows that were looked at: all, or up to the first bad one. */
  rows: number;
  /** Of these, whose readable part is erased. */
  erased: number;
  /** The last of them. */
  head: AuditHead;
  problem: AuditProblem | null;
};

const rowsAtATime = 1000;

/**
 * Follows the audit chain from its first row to the last of this moment and compares it with `heads`, which were written down
 * elsewhere: without one of these, an owner who rewrites the whole chain is not found out.
 */
export async function verifyAudit(
  database: Database,
  heads: readonly AuditHead[],
): Promise<AuditVerification> {
  const known = new Map<bigint, string[]>();
  for (const { id, digest } of heads) known.set(id, [...(known.get(id) ?? []), digest]);
  let checked: AuditVerification = {
    rows: 0,
    erased: 0,
    head: { id: 0n, digest: firstPreviousDigest },
    problem: null,
  };
  for (;;) {
    // Before the rows: where none came since the last look, the last one must be this.
    const stored = await readAuditHead(database);
    const rows = await readChain(database, { after: checked.head.id, limit: rowsAtATime });
    checked = rows.reduce((sofar, row) => followRow(sofar, row, known.get(row.id) ?? []), checked);
    if (checked.problem !== null) return checked;
    if (rows.length === 0) return { ...checked, problem: checkEnd(checked.head, stored, heads) };
  }
}

function followRow(
  sofar: AuditVerification,
  row: ChainRow,
  knownDigests: readonly string[],
): AuditVerification {
  if (sofar.problem !== null) return sofar;
  const head = { id: row.id, digest: row.digest };
  const isAsLogged = knownDigests.every((digest) => digest === row.digest);
  const problem =
    checkRow(row, sofar.head) ?? (isAsLogged ? null : { id: row.id, what: 'not_as_logged' as const });
  if (problem !== null) return { ...sofar, problem };
  const erased = sofar.erased + (row.erasedAt === null ? 0 : 1);
  return { rows: sofar.rows + 1, erased, head, problem };
}

/** Rows at the end that are gone, from the head of the database or from one that was written down; or too many. */
function checkEnd(
  last: AuditHead,
  stored: AuditHead | null,
  heads: readonly AuditHead[],
): AuditProblem | null {
  const ends = stored === null ? heads : [stored, ...heads];
  if (ends.some(({ id }) => id > last.id)) return { id: last.id + 1n, what: 'row_missing' };
  return stored?.id === last.id && stored.digest === last.digest
    ? null
    : { id: last.id, what: 'head_changed' };
}
