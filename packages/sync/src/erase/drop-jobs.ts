import { setTimeout as sleep } from 'node:timers/promises';
import { hasStringEqual, namedUsers, receivedAtOf, stripeEventJob, usageJob } from '@billing/domain';
import { jobStates } from '@billing/platform';
import { acceptEvent, unreadableEvent } from '../apply/handlers.ts';
import { meansErased } from '../apply/means-erased.ts';
import type { ReceivedEvent } from '../apply/target.ts';
import { recordEvent } from '../apply/write-plans.ts';
import type { MaintenanceDeps } from '../deps.ts';

type Job = { id: string; data: unknown };

const jobsAtOnce = 500;

/** The event of a job that names the user; null: it names somebody else, or nobody. */
function eventNaming(deps: MaintenanceDeps, userId: string, { data }: Job): ReceivedEvent | null {
  if (!hasStringEqual(data, userId)) return null;
  const parsed = stripeEventJob.safeParse(data);
  if (!parsed.success) return null;
  const raw = { ...parsed.data.event };
  if (!namedUsers(raw).some((named) => named.userId === userId)) return null;
  const receivedAt = receivedAtOf(parsed.data, deps.clock());
  const traceId = parsed.data.trace_id;
  const accepted = acceptEvent({ raw, receivedAt, traceId }, deps);
  return accepted ?? { event: unreadableEvent({ raw, receivedAt }), receivedAt, payload: raw, traceId };
}

type Dropped = { dropped: number; isDone: boolean };

const nextLookMs = 300;

/**
 * Takes events that name the user out of the queue, where some may wait for hours, and records that they came. `isDone`: none
 * is being processed either. It looks twice: a job may go from one state to another while it looks.
 */
export async function dropJobs(deps: MaintenanceDeps, user: ErasedName): Promise<Dropped> {
  const first = await look(deps, user);
  if (first.dropped > 0 || !first.isDone) return first;
  await sleep(nextLookMs);
  return look(deps, user);
}

type ErasedName = { projectId: string; userId: string };

/** Takes out the jobs of a queue that are about the user; `record` writes down that one came. */
async function dropOf(
  queue: MaintenanceDeps['stripeEvents'],
  isAbout: (job: Job) => Promise<boolean>,
  record: (job: Job) => Promise<void>,
): Promise<Dropped> {
  let dropped = 0;
  let isDone = true;
  for (const state of jobStates) {
    for (let from = 0; ; from += jobsAtOnce) {
      const page = await queue.list(state, { from, to: from + jobsAtOnce - 1 });
      for (const job of page) {
        if (!(await isAbout(job))) continue;
        if (state === 'active') {
          isDone = false;
          continue;
        }
        await record(job);
        await queue.remove(job.id);
        dropped += 1;
      }
      if (page.length < jobsAtOnce) break;
    }
  }
  return { dropped, isDone };
}

/** Usage that was queued while Postgres was away. */
function isUsageOf({ projectId, userId }: ErasedName, { data }: Job): boolean {
  const parsed = usageJob.safeParse(data);
  return parsed.success && parsed.data.project_id === projectId && parsed.data.request.user_id === userId;
}

async function look(deps: MaintenanceDeps, user: ErasedName): Promise<Dropped> {
  const events = await dropOf(
    deps.stripeEvents,
    async (job) => {
      const received = eventNaming(deps, user.userId, job);
      return received !== null && (await meansErased(deps, received));
    },
    async (job) => {
      const received = eventNaming(deps, user.userId, job);
      if (received !== null) await recordEvent(deps, received, { status: 'ignored', reason: 'erased' });
    },
  );
  const usage = await dropOf(
    deps.usageEvents,
    async (job) => isUsageOf(user, job),
    () => Promise.resolve(),
  );
  return { dropped: events.dropped + usage.dropped, isDone: events.isDone && usage.isDone };
}
