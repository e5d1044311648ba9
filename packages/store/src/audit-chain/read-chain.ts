import type { Database } from '../create-database.ts';
import type { ChainedPart, ReadablePart } from './digests.ts';

/** The last row of the chain; id 0: there is none. Digests are in hex. */
export type AuditHead = { id: bigint; digest: string };

/** A row of the chain and what is beside it: null where it is erased, and everywhere if the row beside it is gone. */
export type ChainRow = ChainedPart & {
  digest: string;
  isKept: boolean;
  erasedAt: Date | null;
} & { [Name in Exclude<keyof ReadablePart, 'subject'>]: ReadablePart[Name] | null };

/** Null: somebody has taken it away. */
export async function readAuditHead(database: Database): Promise<AuditHead | null> {
  const [head] = await database.$queryRaw<AuditHead[]>`
    SELECT id, encode(digest, 'hex') AS digest FROM public.audit_head`;
  return head ?? null;
}

export type Stretch = { after: bigint; limit: number; projectId?: string | null };

/** Rows of the chain after one of them, oldest first. An id is visible no later than those after it. */
export const readChain = (
  database: Database,
  { after, limit, projectId = null }: Stretch,
): Promise<ChainRow[]> =>
  database.$queryRaw<ChainRow[]>`
    SELECT l.id, l.at, l.actor, l.action, l.project_id AS "projectId", l.target_type AS "targetType",
      l.request_id AS "requestId", l.subject::text AS subject, encode(l.subject_digest, 'hex') AS "subjectDigest",
      encode(l.previous_digest, 'hex') AS "previousDigest", encode(l.digest, 'hex') AS digest,
      s.subject IS NOT NULL AS "isKept", encode(s.salt, 'hex') AS salt, s.target_id AS "targetId", s.reason,
      s.details::text AS details, s.erased_at AS "erasedAt"
    FROM public.audit_log l LEFT JOIN public.audit_subjects s ON s.subject = l.subject
    WHERE l.id > ${after} AND (${projectId}::text IS NULL OR l.project_id = ${projectId})
    ORDER BY l.id LIMIT ${limit}`;
