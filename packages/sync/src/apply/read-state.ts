import { findErasedUsers, readEventState } from '@billing/store';
import type { EventState, StateKeys } from '@billing/store';
import type { SyncDeps } from '../deps.ts';

type Deps = Pick<SyncDeps, 'database' | 'erasureKeys'>;

/** All users that a batch, or what is stored of its objects, can mean, in the projects that have erased users. */
function usersMeant(state: EventState, keys: StateKeys): { projectId: string; userId: string }[] {
  const stored = [...state.subscriptions.values(), ...state.purchases.values()].map(
    ({ row }) => row.claims.userId,
  );
  const said = [...state.purchases.values()].flatMap(({ row }) =>
    Object.values(row.record.said).map(({ claims }) => claims.userId),
  );
  const userIds = new Set([...keys.userIds, ...stored, ...said].filter((one) => one !== null));
  return [...userIds].flatMap((userId) => state.erasedProjects.map((projectId) => ({ projectId, userId })));
}

/**
 * What deciding needs (`readEventState`), and which of the users that are named were erased. Only while there are erased users
 * this takes a second statement. Throws ErasureKeyMissing.
 */
export async function readState(deps: Deps, keys: StateKeys): Promise<EventState> {
  const state = await readEventState(deps.database, keys);
  if (state.erasedProjects.length === 0) return state;
  const users = await findErasedUsers(deps.database, deps.erasureKeys, usersMeant(state, keys));
  if (users.size === 0) return state;
  return { ...state, erased: { users, objects: state.erased?.objects ?? new Map() } };
}
