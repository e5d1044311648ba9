import type { Instant, ReplayEventsRequest } from '@billing/domain';
import { toTimestamp, toTimestampOrNull } from '@billing/domain';
import type { Actor } from '../audit.ts';
import { writeAudit } from '../audit.ts';
import { getProject } from '../catalog/projects.ts';
import type { Database, Queries } from '../create-database.ts';
import type { Run } from '../generated/client.ts';
import { claimRun } from './lease-run.ts';
import { newRunId } from './new-run-id.ts';

export type { Run } from '../generated/client.ts';

/** `since`: how far back is compared what is listed by time; absent: the default. */
export type ReconcileScope = { dryRun: boolean; projectId: string | null; since?: Instant | undefined };

const paramsOf = ({ since }: ReconcileScope): { since?: string } =>
  since === undefined ? {} : { since: toTimestamp(since) };

/** A run of the same scope that no worker has begun yet: it answers this request too. */
async function findQueued(tx: Queries, scope: ReconcileScope): Promise<Run | null> {
  const { dryRun, projectId } = scope;
  // One at a time: two requests at once must not both find none.
  await tx.$queryRaw`SELECT pg_advisory_xact_lock(hashtext('runs.reconcile'))::text`;
  return tx.run.findFirst({
    where: {
      kind: 'reconcile',
      status: 'running',
      startedAt: null,
      dryRun,
      projectId,
      params: { equals: paramsOf(scope) },
    },
    orderBy: { createdAt: 'desc' },
  });
}

/** Requests a reconcile run, or joins one that is requested and not begun. Throws `project_not_found`. */
export async function requestReconcile(
  database: Database,
  scope: ReconcileScope,
  actor: Actor,
): Promise<{ runId: string }> {
  const { dryRun, projectId } = scope;
  if (projectId !== null) await getProject(database, projectId);
  return database.$transaction(async (tx) => {
    const queued = await findQueued(tx, scope);
    const runId = queued?.id ?? newRunId();
    if (queued === null)
      await tx.run.create({
        data: {
          id: runId,
          kind: 'reconcile',
          requestedBy: actor.name,
          dryRun,
          projectId,
          params: paramsOf(scope),
        },
      });
    await writeAudit(tx, {
      actor,
      action: 'reconcile.request',
      projectId,
      target: { type: 'run', id: runId },
      details: { dry_run: dryRun, ...paramsOf(scope) },
    });
    return { runId };
  });
}

/** The nightly run. Null: one of all projects is under way already. */
export async function scheduleReconcile(database: Database): Promise<{ runId: string } | null> {
  return database.$transaction(async (tx) => {
    await findQueued(tx, { dryRun: false, projectId: null });
    const running = await tx.run.findFirst({
      where: { kind: 'reconcile', status: 'running', dryRun: false, projectId: null },
    });
    if (running !== null) return null;
    const runId = newRunId();
    await tx.run.create({ data: { id: runId, kind: 'reconcile', requestedBy: 'schedule' } });
    return { runId };
  });
}

type EventReplay = {
  eventId: string;
  dryRun: boolean;
  /** Kept in the audit log. */
  reason?: string | undefined;
  onlyProject?: string | null;
};

/** Requests the replay of one event. Null: the ledger has no such event, or not in the only project. */
export async function requestEventReplay(
  database: Database,
  { eventId, dryRun, reason, onlyProject = null }: EventReplay,
  actor: Actor,
): Promise<{ runId: string } | null> {
  return database.$transaction(async (tx) => {
    const event = await tx.stripeEvent.findUnique({
      where: { eventId },
      select: { projectId: true, status: true, reason: true },
    });
    if (event === null || (onlyProject !== null && event.projectId !== onlyProject)) return null;
    const runId = newRunId();
    await tx.run.create({
      data: {
        id: runId,
        kind: 'replay_event',
        dryRun,
        projectId: event.projectId,
        params: { event_id: eventId },
        requestedBy: actor.name,
      },
    });
    await writeAudit(tx, {
      actor,
      action: 'event.replay',
      projectId: event.projectId,
      target: { type: 'event', id: eventId },
      ...(reason === undefined ? {} : { reason }),
      details: { dry_run: dryRun, run_id: runId, status: event.status, reason: event.reason },
    });
    return { runId };
  });
}

type NewImport = { projectId: string; workerId: string; requestedBy: string };

/** Records an import that a command line has begun; it does the work itself, and saves how far it is. */
export async function beginImportRun(
  database: Database,
  { projectId, workerId, requestedBy }: NewImport,
): Promise<{ runId: string }> {
  const runId = newRunId();
  await database.run.create({ data: { id: runId, kind: 'import', projectId, requestedBy } });
  await claimRun(database, { runId, workerId });
  return { runId };
}

/** Requests the replay of an object's events, or of a window of time. */
export async function requestReplay(
  database: Database,
  { object_id: objectId, from, to, dry_run: dryRun, reason }: ReplayEventsRequest,
  actor: Actor,
): Promise<{ runId: string }> {
  const params = {
    object_id: objectId ?? null,
    from: toTimestampOrNull(from ?? null),
    to: toTimestampOrNull(to ?? null),
  };
  const runId = newRunId();
  return database.$transaction(async (tx) => {
    await tx.run.create({ data: { id: runId, kind: 'replay', dryRun, params, requestedBy: actor.name } });
    await writeAudit(tx, {
      actor,
      action: 'events.replay',
      projectId: null,
      target: { type: 'run', id: runId },
      ...(reason === undefined ? {} : { reason }),
      details: { dry_run: dryRun, ...params },
    });
    return { runId };
  });
}
