import type { Queries } from '../create-database.ts';

/** Who acts: the name of an admin key, and the request that did it. */
export type Actor = { name: string; requestId: string | null };

/** Plain JSON; no secret and no e-mail may be in it. */
export type AuditDetails = Readonly<Record<string, unknown>>;

export type AuditEntry = {
  actor: Actor;
  action: string;
  projectId: string | null;
  target: {
    type: 'project' | 'api_key' | 'product' | 'price' | 'customer' | 'grant' | 'event' | 'run';
    id: string;
  };
  reason?: string;
  details?: AuditDetails;
};

/** Notes who did what, in the transaction that does it. */
export async function writeAudit(tx: Queries, entry: AuditEntry): Promise<void> {
  const { actor, action, projectId, target, reason = null, details = {} } = entry;
  await tx.$executeRaw`
    INSERT INTO audit_log (actor, action, project_id, target_type, target_id, reason, details, request_id)
    VALUES (${actor.name}, ${action}, ${projectId}, ${target.type}, ${target.id}, ${reason},
      ${JSON.stringify(details)}::jsonb, ${actor.requestId})`;
}
