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
/** Before the first row. */
const chainStart: AuditHead = { id: 0n, digest: firstPreviousDigest };

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
  let checked: AuditVerification = { rows: 0, erased: 0, head: chainStart, problem: null };
  for (;;) {
    const { hasMore, ...next } = await verifyNextRows(database, { after: checked.head, heads: known });
    checked = { ...next, rows: checked.rows + next.rows, erased: checked.erased + next.erased };
    if (hasMore) continue;
    const isFollowed = checked.problem === null || checked.problem.what === 'head_changed';
    return isFollowed ? { ...checked, problem: checkLost(checked.head, heads) ?? checked.problem } : checked;
  }
}

/** Digests that were written down elsewhere, by the row. */
type KnownDigests = ReadonlyMap<bigint, readonly string[]>;

/**
 * Follows the chain for the next thousand rows after one of them. What it says of the last row's place is sure once no row
 * is left: `hasMore` is false then.
 */
export async function verifyNextRows(
  database: Database,
  { after = chainStart, heads = new Map() }: { after?: AuditHead | undefined; heads?: KnownDigests },
): Promise<AuditVerification & { hasMore: boolean }> {
  // Before the rows: where none came since the last look, the last one must be this.
  const stored = await readAuditHead(database);
  const rows = await readChain(database, { after: after.id, limit: rowsAtATime });
  const start: AuditVerification = { rows: 0, erased: 0, head: after, problem: null };
  const checked = rows.reduce((sofar, row) => followRow(sofar, row, heads.get(row.id) ?? []), start);
  if (checked.problem !== null) return { ...checked, hasMore: false };
  if (rows.length > 0) return { ...checked, hasMore: true };
  return { ...checked, problem: checkEnd(after, stored), hasMore: false };
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

/** Rows at the end that are gone, or a row too many, from the head of the database. */
function checkEnd(last: AuditHead, stored: AuditHead | null): AuditProblem | null {
  if (stored !== null && stored.id > last.id) return { id: last.id + 1n, what: 'row_missing' };
  return stored?.id === last.id && stored.digest === last.digest
    ? null
    : { id: last.id, what: 'head_changed' };
}

/** Rows at the end that are gone, from heads that were written down. */
const checkLost = (last: AuditHead, heads: readonly AuditHead[]): AuditProblem | null =>
  heads.some(({ id }) => id > last.id) ? { id: last.id + 1n, what: 'row_missing' } : null;
