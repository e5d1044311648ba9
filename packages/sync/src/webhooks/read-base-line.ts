import { setTimeout as sleep } from 'node:timers/promises';
import {
  advanceBaseLine,
  countUsers,
  findBaseLines,
  prepareBaseLine,
  readBaseLinePage,
} from '@billing/store';
import type { BaseLine } from '@billing/store';
import { createPace } from './base-line-pace.ts';
import { contextOf, emitAll } from './emit.ts';
import type { EmitterDeps } from './emitter-deps.ts';

/** Reads the next users of a base line; what has to be told about some of them is told first. `waiting`: not ready yet. */
async function step(deps: EmitterDeps, baseLine: BaseLine): Promise<'read' | 'waiting'> {
  const { database } = deps;
  if (!baseLine.isReady && !(await prepareBaseLine(database, baseLine.id))) return 'waiting';
  const read = await readBaseLinePage(database, contextOf(deps), baseLine);
  if (read === null) return 'waiting';
  const { projectId } = baseLine;
  await emitAll(deps, [{ projectId, userIds: read.left }], { isThorough: true });
  await advanceBaseLine(database, baseLine, read);
  return 'read';
}

/** A turn of the loop that reads base lines: one step of each that is under way. `again`: there is more. */
export function createBaseLineTurn(deps: EmitterDeps): () => Promise<'again' | 'rest'> {
  const pace = createPace();
  return async () => {
    const baseLines = await pace.probe(() =>
      findBaseLines(deps.database, { projectId: null, now: deps.clock() }),
    );
    let next: 'again' | 'rest' = 'rest';
    for (const baseLine of baseLines) {
      const startedAt = performance.now();
      if ((await step(deps, baseLine)) === 'waiting') continue;
      next = 'again';
      await sleep(pace.restMs(performance.now() - startedAt));
    }
    return next;
  };
}

const fewUsers = 1_000;
const atOnceMs = 1_500;
const pauseMs = 20;

/**
 * Reads the base line of a project that has just begun to tell changes (`startTelling`), after that commit and before the
 * answer, where it has few users and no older transaction is under way for long. What is left is a worker's. Never throws.
 */
export async function readBaseLine(
  deps: Pick<EmitterDeps, 'database' | 'clock' | 'logger'> & {
    telling: Pick<EmitterDeps['telling'], 'derivation'>;
  },
  projectId: string,
): Promise<void> {
  const { database, logger } = deps;
  const context = { settings: deps.telling.derivation, now: deps.clock };
  const endsAt = performance.now() + atOnceMs;
  try {
    if ((await countUsers(database, { projectId, upTo: fewUsers + 1 })) > fewUsers) return;
    while (performance.now() < endsAt) {
      const [baseLine] = await findBaseLines(database, { projectId, now: deps.clock() });
      if (baseLine === undefined) return;
      if (!baseLine.isReady && !(await prepareBaseLine(database, baseLine.id))) {
        await sleep(pauseMs);
        continue;
      }
      const read = await readBaseLinePage(database, context, baseLine);
      if (read === null) {
        // A worker is at it.
        await sleep(pauseMs);
        continue;
      }
      // Something is to be told: a worker does that.
      if (read.left.length > 0) return;
      await advanceBaseLine(database, baseLine, read);
    }
  } catch (error) {
    logger.warn('base_line_left_to_worker', { project_id: projectId, error });
  }
}
