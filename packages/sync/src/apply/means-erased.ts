import { namedUsers } from '@billing/domain';
import type { SyncDeps } from '../deps.ts';
import { noKeys } from './decide-events.ts';
import { namesErased } from './plan-write.ts';
import { readState } from './read-state.ts';
import type { ReceivedEvent } from './target.ts';

/** Whether the event means the erased user, and not one of the same id or one who has come back. */
export async function meansErased(
  deps: Pick<SyncDeps, 'database' | 'erasureKeys'>,
  received: ReceivedEvent,
): Promise<boolean> {
  const named = namedUsers(received.payload);
  const keys = {
    ...noKeys,
    userIds: named.map((one) => one.userId),
    projectIds: named.flatMap((one) => one.projectId ?? []),
  };
  return namesErased(received, { state: await readState(deps, keys), projectId: null });
}
