import {
  emitUsers,
  isDatabaseUnavailable,
  publishInvalidations,
  putOff,
  releaseMessages,
} from '@billing/store';
import type { EmitContext, EmitOrder, ProjectUsers, WrittenMessages } from '@billing/store';
import type { EmitterDeps } from './emitter-deps.ts';

export const contextOf = ({ telling, clock }: Pick<EmitterDeps, 'telling' | 'clock'>): EmitContext => ({
  settings: telling.derivation,
  now: clock,
});

/** After the commit: the cache learns the new versions, then the messages that wait for that may go. */
export async function afterEmit(deps: EmitterDeps, { pending, types, late }: WrittenMessages): Promise<void> {
  for (const type of types) deps.counters.webhookMessages.inc({ type });
  if ((await publishInvalidations(deps, pending)) === 'published') await releaseMessages(deps.database, late);
}

/** How long a user of whom nothing can be told waits before the next try. */
const putOffMs = 60_000;

/**
 * Writes what is to be told about users. Those whom it fails for, whatever the reason, delay no others: they are put off.
 * Returns how many messages were made. Throws where Postgres cannot be reached.
 */
export async function emit(deps: EmitterDeps, order: EmitOrder): Promise<number> {
  try {
    const written = await emitUsers(deps.database, contextOf(deps), order);
    await afterEmit(deps, written);
    return written.types.length;
  } catch (error) {
    // A step is made whole, or again.
    if (isDatabaseUnavailable(error) || order.step !== undefined) throw error;
    return order.userIds.length === 1 ? giveUp(deps, order, error) : emitEach(deps, order);
  }
}

async function emitEach(deps: EmitterDeps, { userIds, ...order }: EmitOrder): Promise<number> {
  let made = 0;
  for (const userId of userIds) made += await emit(deps, { ...order, userIds: [userId] });
  return made;
}

async function giveUp(deps: EmitterDeps, { projectId, userIds }: EmitOrder, error: unknown): Promise<number> {
  deps.logger.error('webhook_emit_failed', { project_id: projectId, error });
  const now = deps.clock();
  for (const userId of userIds)
    await putOff(deps.database, { projectId, userId }, { now, until: now + putOffMs });
  return 0;
}

const usersAtOnce = 50;

/** The same for users of several projects, a transaction for some of one project each. */
export async function emitAll(
  deps: EmitterDeps,
  all: readonly ProjectUsers[],
  how: Pick<EmitOrder, 'isThorough'> = {},
): Promise<number> {
  let made = 0;
  for (const { projectId, userIds } of all)
    for (let from = 0; from < userIds.length; from += usersAtOnce)
      made += await emit(deps, { ...how, projectId, userIds: userIds.slice(from, from + usersAtOnce) });
  return made;
}
