import { differences } from '@billing/domain';
import type { AuditQuery } from '@billing/domain';
import type { Queries, Database } from './create-database.ts';
import { noteChanges } from './dry-run.ts';
import type { Prisma } from './generated/client.ts';
import { given } from './given.ts';
import { decodeCursor, sequenceKey, toPage } from './page.ts';
import type { Page } from './page.ts';

/** An audit row with its readable part. Erased (`erasedAt`): without target, reason and details. */
export type AuditRow = {
  id: bigint;
  at: Date;
  actor: string;
  action: string;
  projectId: string | null;
  targetType: string;
  targetId: string | null;
  reason: string | null;
  details: unknown;
  requestId: string | null;
  erasedAt: Date | null;
};

/** Who acts: the name of an admin key, and the request that did it. */
export type Actor = { name: string; requestId: string | null };

/** Plain JSON; no secret and no e-mail may be in it. */
export type AuditDetails = Readonly<Record<string, unknown>>;

export type AuditEntry = {
  actor: Actor;
  action: string;
  projectId: string | null;
  target: {
    type:
      | 'project'
      | 'api_key'
      | 'console_session'
      | 'product'
      | 'feature'
      | 'price'
      | 'customer'
      | 'grant'
      | 'event'
      | 'event_sweep'
      | 'run'
      | 'subscription'
      | 'purchase'
      | 'user'
      | 'webhook_endpoint'
      | 'webhook_message';
    id: string;
  };
  reason?: string;
  /** What it did to its target: null before it was made, and after it was taken away. */
  change?: { before: AuditDetails | null; after: AuditDetails | null };
  /** What else is to be known of it. */
  details?: AuditDetails;
};

/** A change is `before` and `after` of what was there, else what was made or taken away. */
const detailsOf = ({ change, details = {} }: AuditEntry): AuditDetails =>
  change === undefined
    ? details
    : {
        ...details,
        ...(change.before !== null && change.after !== null ? change : (change.before ?? change.after)),
      };

/**
 * Records who did what, in the transaction that does it. As late as possible in it: from here to the commit all others that
 * write audit rows wait, which makes the rows a chain in the order of their ids (a trigger adds what that needs). Of a
 * trial it is what would change.
 */
export async function writeAudit(tx: Queries, entry: AuditEntry): Promise<void> {
  const { actor, action, projectId, target, reason = null, change } = entry;
  if (change !== undefined) noteChanges(tx, differences(change.before ?? {}, change.after ?? {}));
  await tx.$executeRaw`
    INSERT INTO public.audit_log (actor, action, project_id, target_type, target_id, reason, details, request_id)
    VALUES (${actor.name}, ${action}, ${projectId}, ${target.type}, ${target.id}, ${reason},
      ${JSON.stringify(detailsOf(entry))}::jsonb, ${actor.requestId})`;
}

const readable = { targetId: true, reason: true, details: true, erasedAt: true } as const;

/** Audit rows that fit `where`, with their readable parts. */
export async function findAudit(
  database: Queries,
  query: {
    where: Prisma.AuditEntryWhereInput;
    orderBy: Prisma.AuditEntryOrderByWithRelationInput;
    /** Absent: all. */
    take?: number;
  },
): Promise<AuditRow[]> {
  const rows = await database.auditEntry.findMany({ ...query, include: { readable: { select: readable } } });
  return rows.map((row) => ({
    id: row.id,
    at: row.at,
    actor: row.actor,
    action: row.action,
    projectId: row.projectId,
    targetType: row.targetType,
    requestId: row.requestId,
    ...row.readable,
    details: row.readable.details ?? {},
  }));
}

/** The audit log, newest first. */
export async function listAudit(
  database: Database,
  query: AuditQuery & { onlyProject?: string | null },
): Promise<Page<AuditRow>> {
  const { limit, cursor, from, to, onlyProject = null } = query;
  const before = cursor === undefined ? undefined : BigInt(decodeCursor(sequenceKey, cursor)[0]);
  const rows = await findAudit(database, {
    where: {
      ...(onlyProject === null ? {} : { AND: [{ projectId: onlyProject }] }),
      projectId: given(query.project_id),
      actor: given(query.actor),
      action: given(query.action),
      targetType: given(query.target_type),
      readable: given(query.target_id === undefined ? undefined : { targetId: query.target_id }),
      id: { lt: given(before) },
      at: {
        gte: given(from === undefined ? from : new Date(from)),
        lte: given(to === undefined ? to : new Date(to)),
      },
    },
    orderBy: { id: 'desc' },
    take: limit + 1,
  });
  return toPage(rows, limit, (row) => [String(row.id)]);
}
