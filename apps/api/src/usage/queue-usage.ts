import { createHash } from 'node:crypto';
import { toTimestamp } from '@billing/domain';
import type { QueuedOut, UsageEventRequest } from '@billing/domain';
import { QueueUnavailableError } from '@billing/platform';
import type { NewJob } from '@billing/platform';
import type { AppDeps } from '../deps.ts';
import { usageUnavailable } from './take-usage.ts';

type QueueDeps = Pick<AppDeps, 'usageEvents' | 'config' | 'clock'>;

/** What is left of the second that a call may take. */
const addMs = 250;
/** Of up to 500 events, whose 2 MB a busy machine does not send in a part of a second. */
export const addManyMs = 2_000;

/** The same request again is the same job while it waits. */
function toJob(projectId: string, request: UsageEventRequest, receivedAt: number): NewJob {
  const { timestamp, ...rest } = request;
  const body = { ...rest, ...(timestamp === undefined ? {} : { timestamp: toTimestamp(timestamp) }) };
  const digest = createHash('sha256')
    .update(JSON.stringify([projectId, body]))
    .digest('hex');
  return {
    name: 'usage',
    jobId: `usage_${digest}`,
    data: { project_id: projectId, request: body, received_at: toTimestamp(receivedAt) },
  };
}

/**
 * Hands recorded usage to the queue, to be applied once Postgres is back. Throws `usage_unavailable` where the queue does
 * not have it either, or is not to be used.
 */
export async function queueUsage(
  { usageEvents, config, clock }: QueueDeps,
  projectId: string,
  { requests, withinMs = addMs }: { requests: readonly UsageEventRequest[]; withinMs?: number },
): Promise<QueuedOut[]> {
  if (!config.queuesUsageWhenDown) throw usageUnavailable();
  const jobs = requests.map((request) => toJob(projectId, request, clock()));
  try {
    await usageEvents.addBulk(jobs, { deadlineMs: withinMs });
  } catch (error) {
    throw error instanceof QueueUnavailableError ? usageUnavailable(error) : error;
  }
  return requests.map((request) => ({ event_id: request.event_id, queued: true }));
}
