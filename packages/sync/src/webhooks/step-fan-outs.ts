import {
  endFanOuts,
  findDiffering,
  findFanOuts,
  finishFanOut,
  isEndpointEnabled,
  nextUsers,
} from '@billing/store';
import type { FanOut } from '@billing/store';
import { contextOf, emit } from './emit.ts';
import type { EmitterDeps } from './emitter-deps.ts';

/** So many users are looked at by one statement; of one who is not to be told anything this is the cost. */
const usersAtOnce = 100;
const lookCost = 0.1;

/** Looks at the next users of a change of catalog or policy, up to as many to tell of as are left of the part. */
async function stepChange(deps: EmitterDeps, fanOut: FanOut, cause: 'catalog' | 'policy', part: number) {
  const { database } = deps;
  const userIds = await nextUsers(database, fanOut, usersAtOnce);
  if (userIds.length === 0) {
    await finishFanOut(database, fanOut.id);
    return 0;
  }
  const { projectId, id, endpointId, afterUser } = fanOut;
  const differing = await findDiffering(database, contextOf(deps), { projectId, userIds });
  const told = userIds.filter((userId) => differing.has(userId)).slice(0, Math.max(1, Math.floor(part)));
  // Without those whose turn comes later.
  const next = userIds.findIndex((userId) => differing.has(userId) && !told.includes(userId));
  const done = next === -1 ? userIds : userIds.slice(0, next);
  const step = { id, endpointId, after: afterUser, to: done.at(-1) ?? afterUser, users: done.length };
  await emit(deps, { projectId, userIds: told, known: differing, cause, step, isThorough: true });
  return told.length + done.length * lookCost;
}

/** Tells the endpoint of a backfill the state of the next users. */
async function stepBackfill(deps: EmitterDeps, fanOut: FanOut & { endpointId: string }, part: number) {
  const { database } = deps;
  const { projectId, id, endpointId, afterUser } = fanOut;
  if (!(await isEndpointEnabled(database, endpointId))) {
    await endFanOuts(database, { projectId, endpointId }, 'the endpoint was disabled');
    return 0;
  }
  const userIds = await nextUsers(database, fanOut, Math.min(usersAtOnce, Math.max(1, Math.floor(part))));
  const last = userIds.at(-1);
  if (last === undefined) {
    await finishFanOut(database, id);
    return 0;
  }
  const step = { id, endpointId, after: afterUser, to: last, users: userIds.length };
  await emit(deps, { projectId, userIds, step, isThorough: true });
  return userIds.length;
}

async function stepOne(deps: EmitterDeps, fanOut: FanOut, part: number): Promise<number> {
  const { kind, endpointId } = fanOut;
  if (kind === 'base_line') return 0;
  if (kind !== 'backfill') return stepChange(deps, fanOut, kind, part);
  return endpointId === null ? 0 : stepBackfill(deps, { ...fanOut, endpointId }, part);
}

/** Goes on with what is under way, each for a share of the part. Returns how much of it was used. */
export async function stepFanOuts(deps: EmitterDeps, part: number): Promise<number> {
  const fanOuts = await findFanOuts(deps.database);
  let used = 0;
  for (const fanOut of fanOuts) {
    if (used >= part) break;
    used += await stepOne(deps, fanOut, (part - used) / 2 + 1);
  }
  return Math.min(used, part);
}
