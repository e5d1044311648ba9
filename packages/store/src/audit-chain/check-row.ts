import type { AuditProblemCode } from '@billing/domain';
import { digestOfEntry, digestOfReadable } from './digests.ts';
import type { AuditHead, ChainRow } from './read-chain.ts';

/** What is wrong with the first bad row. */
export type AuditProblem = { id: bigint; what: AuditProblemCode };

/** Whether a row follows the one before and is as it was written; null: all is well. Erased is well. */
export function checkRow(row: ChainRow, before: AuditHead): AuditProblem | null {
  const { id } = row;
  if (row.previousDigest !== before.digest)
    return id > before.id + 1n
      ? { id: before.id + 1n, what: 'row_missing' }
      : { id, what: 'row_before_changed' };
  if (row.digest !== digestOfEntry(row)) return { id, what: 'row_changed' };
  if (!row.isKept) return { id, what: 'readable_part_missing' };
  return isReadableWell(row) ? null : { id, what: 'readable_part_changed' };
}

function isReadableWell({ erasedAt, salt, targetId, reason, details, ...row }: ChainRow): boolean {
  if (erasedAt !== null) return [salt, targetId, reason, details].every((part) => part === null);
  if (salt === null || targetId === null || details === null) return false;
  return digestOfReadable({ subject: row.subject, salt, targetId, reason, details }) === row.subjectDigest;
}
