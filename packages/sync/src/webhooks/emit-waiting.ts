import {
  emitCrossings,
  emitProject,
  findDue,
  findPaced,
  findWaiting,
  giveBack,
  takePart,
} from '@billing/store';
import type { Pace, ProjectUsers } from '@billing/store';
import { afterEmit, emitAll } from './emit.ts';
import type { EmitterDeps } from './emitter-deps.ts';
import { stepFanOuts } from './step-fan-outs.ts';

/**
 * Does a part of what is told at a rate. `work` returns how much of the part it used. `again`: the rate allows for more, and
 * there may be some.
 */
async function atPace(
  deps: EmitterDeps,
  { kind, perSecond }: { kind: Pace; perSecond: number },
  work: (part: number) => Promise<number>,
): Promise<'again' | 'rest'> {
  const part = await takePart(deps.database, kind, perSecond);
  if (part === 0) return 'rest';
  const used = await work(part);
  await giveBack(deps.database, kind, { unused: part - used, perSecond });
  return used > 0 && used < part ? 'again' : 'rest';
}

const countOf = (all: readonly ProjectUsers[]): number =>
  all.reduce((sum, { userIds }) => sum + userIds.length, 0);

/** Those whose answer time may have changed. */
const emitDue = (deps: EmitterDeps): Promise<unknown> =>
  atPace(deps, { kind: 'boundaries', perSecond: deps.telling.boundariesPerSecond }, async (limit) => {
    const due = await findDue(deps.database, { now: deps.clock(), limit });
    await emitAll(deps, due);
    return countOf(due);
  });

/** Marks of imports, then changes of catalog and policy, and backfills: own changes of users overtake all of them. */
const emitPaced = (
  deps: EmitterDeps,
  has: { hasPaced: boolean; hasFanOuts: boolean },
): Promise<'again' | 'rest'> =>
  atPace(deps, { kind: 'fan_out', perSecond: deps.telling.fanOutPerSecond }, async (part) => {
    // Half of it each, where both wait.
    const limit = has.hasFanOuts ? Math.ceil(part / 2) : part;
    const paced = has.hasPaced ? await findPaced(deps.database, limit) : [];
    await emitAll(deps, paced);
    const used = countOf(paced);
    return used + (has.hasFanOuts ? await stepFanOuts(deps, part - used) : 0);
  });

/** Tells what waits to be told. `again`: there is more; `idle`: there was nothing. */
export async function emitWaiting(deps: EmitterDeps): Promise<'again' | 'rest' | 'idle'> {
  const { database, clock } = deps;
  const waiting = await findWaiting(database, clock());
  for (const projectId of waiting.projects)
    await afterEmit(deps, await emitProject(database, projectId, clock()));
  await emitAll(deps, waiting.users);
  if (waiting.hasCrossings) await afterEmit(deps, await emitCrossings(database));
  if (waiting.hasDue) await emitDue(deps);
  const paced = waiting.hasPaced || waiting.hasFanOuts ? await emitPaced(deps, waiting) : 'rest';
  if (waiting.hasMore || paced === 'again') return 'again';
  const { users, projects, hasCrossings, hasDue, hasPaced, hasFanOuts } = waiting;
  const isIdle = users.length === 0 && projects.length === 0;
  return isIdle && !hasCrossings && !hasDue && !hasPaced && !hasFanOuts ? 'idle' : 'rest';
}
