import { createHash } from 'node:crypto';

/** The readable part of an audit row, as `audit_subjects` has it. `details`: Postgres's own text of it. */
export type ReadablePart = {
  subject: string;
  /** In hex, as all bytes here. */
  salt: string;
  targetId: string;
  reason: string | null;
  details: string;
};

/** What the digest of an audit row covers. */
export type ChainedPart = {
  id: bigint;
  at: Date;
  actor: string;
  action: string;
  projectId: string | null;
  targetType: string;
  requestId: string | null;
  subject: string;
  subjectDigest: string;
  previousDigest: string;
};

/** What the first row follows. */
export const firstPreviousDigest = '00'.repeat(32);

/** Fields as netstrings: length in bytes, colon, text, comma; null is `-,`. No two lists of fields have the same text. */
const fieldsOf = (fields: readonly (string | null)[]): string =>
  fields.map((field) => (field === null ? '-,' : `${Buffer.byteLength(field)}:${field},`)).join('');

/** As `audit_subject_digest` of the migration makes it: `docs/decisions/0019-audit-chain.md`. */
export const digestOfReadable = (part: ReadablePart): string =>
  createHash('sha256')
    .update(Buffer.from(part.salt, 'hex'))
    .update(fieldsOf([part.subject, part.targetId, part.reason, part.details]))
    .digest('hex');

/** As `audit_entry_digest` of the migration makes it. */
export const digestOfEntry = (part: ChainedPart): string =>
  createHash('sha256')
    .update(
      fieldsOf([
        'audit-1',
        part.previousDigest,
        String(part.id),
        String(part.at.getTime()),
        part.actor,
        part.action,
        part.projectId,
        part.targetType,
        part.requestId,
        part.subject,
        part.subjectDigest,
      ]),
    )
    .digest('hex');
