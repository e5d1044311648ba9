import { toUseCommand, usageJob } from '@billing/domain';
import type { UsageEventRequest } from '@billing/domain';
import {
  ErasureKeyMissing,
  findErasedUsers,
  isDatabaseUnavailable,
  UsageUnavailable,
  writeUsageRefusal,
} from '@billing/store';
import type { JobOutcome, MaintenanceDeps } from '../deps.ts';
import { pauseInOutageMs } from '../outages.ts';

type Deps = Pick<MaintenanceDeps, 'database' | 'usage' | 'clock' | 'logger' | 'counters' | 'erasureKeys'>;
type Queued = { projectId: string; request: UsageEventRequest; receivedAt: number };

const done: JobOutcome = { kind: 'done' };
/** Longer than a batch takes: nobody waits for the answer. */
const decideMs = 10_000;
/** After that many crashes of a worker while it processed the job, the job is the likely cause. */
const maxCrashes = 10;

/** It stays to be seen: nobody is there to be answered. */
async function refuse(
  { database, clock, logger, counters }: Deps,
  { projectId, request, data }: Queued & { data: unknown },
  { code, detail }: { code: string; detail: string },
): Promise<void> {
  const { user_id: userId, feature_code: featureCode, event_id: eventId } = request;
  const kept = { projectId, userId, featureCode, eventId };
  await writeUsageRefusal(database, {
    ...kept,
    refusedAt: clock(),
    code,
    detail,
    request: JSON.parse(JSON.stringify(data)),
  });
  counters.queuedUsage.inc({ outcome: 'refused' });
  logger.warn('queued_usage_refused', { project_id: projectId, event_id: eventId, code });
}

/** Whether it was received before its user was erased: it must not bring the user back. Throws ErasureKeyMissing. */
async function isOfErased({ database, erasureKeys }: Deps, queued: Queued): Promise<boolean> {
  const { projectId, request, receivedAt } = queued;
  const user = { projectId, userId: request.user_id };
  const erased = await findErasedUsers(database, erasureKeys, [user]);
  return receivedAt <= (erased.get(user.userId)?.get(projectId) ?? Number.NEGATIVE_INFINITY);
}

async function apply(deps: Deps, queued: Queued & { data: unknown }): Promise<void> {
  const { projectId, request, receivedAt } = queued;
  if (await isOfErased(deps, queued)) return deps.counters.queuedUsage.inc({ outcome: 'erased' });
  const result = await deps.usage.committer.submit(
    {
      projectId,
      userId: request.user_id,
      featureCode: request.feature_code,
      command: { ...toUseCommand(request), receivedAt },
    },
    { endsAt: performance.now() + decideMs },
  );
  if (result.kind === 'refused') return refuse(deps, queued, result);
  if (result.kind === 'failed') throw result.error;
  deps.counters.queuedUsage.inc({ outcome: 'applied' });
}

/**
 * Applies usage that came while Postgres was away, by the rules of any other: a repeated job is a duplicate. One that is
 * refused is logged, counted and listed. While Postgres is still away it waits.
 */
export async function applyQueuedUsage(
  deps: Deps,
  job: { data: unknown; crashes: number },
): Promise<JobOutcome> {
  const parsed = usageJob.safeParse(job.data);
  if (!parsed.success) {
    deps.logger.error('job_not_understood', { queue: 'usage-events' });
    return done;
  }
  const { project_id: projectId, request, received_at: receivedAt } = parsed.data;
  const queued = { projectId, request, receivedAt, data: rawRequestOf(job.data) };
  try {
    if (job.crashes >= maxCrashes)
      await refuse(deps, queued, {
        code: 'internal_error',
        detail: 'Workers crashed while they applied it.',
      });
    else await apply(deps, queued);
    return done;
  } catch (error) {
    if (
      error instanceof UsageUnavailable ||
      error instanceof ErasureKeyMissing ||
      isDatabaseUnavailable(error)
    )
      return { kind: 'later', pauseMs: pauseInOutageMs(2) };
    deps.logger.error('queued_usage_failed', { project_id: projectId, event_id: request.event_id, error });
    await refuse(deps, queued, {
      code: 'internal_error',
      detail: 'It could not be decided; the log says why.',
    });
    return done;
  }
}

const rawRequestOf = (data: unknown): unknown =>
  typeof data === 'object' && data !== null && 'request' in data ? data.request : {};
