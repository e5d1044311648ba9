import { hasStringEqual, namedUsers, stripeEventJob } from '@billing/domain';
import { jobStates } from '@billing/platform';
import { noKeys } from '../apply/decide-events.ts';
import { acceptEvent, unreadableEvent } from '../apply/handlers.ts';
import { namesErased } from '../apply/plan-write.ts';
import { readState } from '../apply/read-state.ts';
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
  const receivedAt = Date.parse(parsed.data.received_at);
  const accepted = acceptEvent({ raw, receivedAt }, deps);
  return accepted ?? { event: unreadableEvent({ raw, receivedAt }), receivedAt, payload: raw };
}

/** Whether the event means the erased user, and not one of the same id or one who has come back. */
async function meansErased(deps: MaintenanceDeps, received: ReceivedEvent): Promise<boolean> {
  const named = namedUsers(received.payload);
  const keys = {
    ...noKeys,
    userIds: named.map((one) => one.userId),
    projectIds: named.flatMap((one) => one.projectId ?? []),
  };
  return namesErased(received, { state: await readState(deps, keys), projectId: null });
}

/**
 * Takes events that name the user out of the queue, where some may wait for hours, and records that they came. `isDone`: none
 * is being processed either.
 */
export async function dropJobs(
  deps: MaintenanceDeps,
  { userId }: { userId: string },
): Promise<{ dropped: number; isDone: boolean }> {
  const { stripeEvents } = deps;
  let dropped = 0;
  let isDone = true;
  for (const state of jobStates) {
    for (let from = 0; ; from += jobsAtOnce) {
      const page = await stripeEvents.list(state, { from, to: from + jobsAtOnce - 1 });
      for (const job of page) {
        const received = eventNaming(deps, userId, job);
        if (received === null || !(await meansErased(deps, received))) continue;
        if (state === 'active') {
          isDone = false;
          continue;
        }
        await recordEvent(deps, received, { status: 'ignored', reason: 'erased' });
        await stripeEvents.remove(job.id);
        dropped += 1;
      }
      if (page.length < jobsAtOnce) break;
    }
  }
  return { dropped, isDone };
}
