import {
  id,
  reconcileRequest,
  replayEventRequest,
  replayEventResponse,
  replayEventsRequest,
  ServiceError,
} from '@billing/domain';
import type { ReplayEventResponse, RunAccepted } from '@billing/domain';
import { getRun, requestEventReplay, requestReconcile, requestReplay, withdrawRun } from '@billing/store';
import type { Run } from '@billing/store';
import type { Router } from 'express';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { mountRoute } from '../http/mount-route.ts';
import { parseBody, parseParams } from '../http/parse.ts';
import { actorOf } from './acting.ts';
import type { AdminDeps } from './acting.ts';
import { presentRun } from './present-run.ts';

const runPath = z.object({ run_id: id });
const eventPath = z.object({ event_id: id });

/** How long somebody who replays one event waits for the worker. */
const answerMs = 15_000;
const lookEveryMs = 100;

const enqueueMs = 2_000;

/**
 * Tells the workers of a run. Should the queue be away the run is done all the same: workers look in Postgres
 * for runs that nobody has taken.
 */
async function announce({ maintenance, logger }: AdminDeps, name: string, runId: string): Promise<void> {
  try {
    await maintenance.add({ name, jobId: runId, data: { run_id: runId } }, { deadlineMs: enqueueMs });
  } catch (error) {
    logger.warn('run_not_announced', { run_id: runId, error });
  }
}

/** The run once it is over; null: not within the time. */
async function awaitEnd({ database }: AdminDeps, runId: string): Promise<Run | null> {
  const givesUpAt = performance.now() + answerMs;
  while (performance.now() < givesUpAt) {
    const run = await getRun(database, runId);
    if (run !== null && run.status !== 'running') return run;
    await sleep(lookEveryMs);
  }
  return null;
}

const noAnswer = (): ServiceError =>
  new ServiceError('service_unavailable', 'Try again when a worker runs: none has answered in time.', {
    retryable: true,
    retryAfterSeconds: 5,
  });

const runNotFound = (): ServiceError =>
  new ServiceError(
    'run_not_found',
    'Use the run_id that POST /api/v1/admin/reconcile or /api/v1/admin/events/replay answered.',
  );

async function replayOne(
  deps: AdminDeps,
  order: { eventId: string; dryRun: boolean },
  actor: ReturnType<typeof actorOf>,
): Promise<ReplayEventResponse> {
  const { database } = deps;
  const ordered = await requestEventReplay(database, order, actor);
  if (ordered === null)
    throw new ServiceError('event_not_found', 'Use an event_id that GET /api/v1/admin/events lists.');
  const { runId } = ordered;
  await announce(deps, 'replay', runId);
  const run = await awaitEnd(deps, runId);
  if (run === null) await withdrawRun(database, runId);
  if (run?.status !== 'done') throw noAnswer();
  return replayEventResponse.parse(run.result);
}

/** Work that the worker does: comparing with Stripe, and applying events again. */
export function mountRuns(router: Router, deps: AdminDeps): void {
  const { database } = deps;
  mountRoute(router, '/reconcile', {
    post: async (request, response) => {
      const { dry_run: dryRun, project_id: projectId } = parseBody(reconcileRequest, request);
      const scope = { dryRun, projectId: projectId ?? null };
      const { runId } = await requestReconcile(database, scope, actorOf(response));
      await announce(deps, 'reconcile', runId);
      const accepted: RunAccepted = { run_id: runId };
      response.status(202).json(accepted);
    },
  });
  mountRoute(router, '/reconcile/:run_id', {
    get: async (request, response) => {
      const run = await getRun(database, parseParams(runPath, request).run_id);
      if (run === null) throw runNotFound();
      response.json(presentRun(run));
    },
  });
  mountRoute(router, '/events/replay', {
    post: async (request, response) => {
      const order = parseBody(replayEventsRequest, request);
      const { runId } = await requestReplay(database, order, actorOf(response));
      await announce(deps, 'replay', runId);
      const accepted: RunAccepted = { run_id: runId };
      response.status(202).json(accepted);
    },
  });
  mountRoute(router, '/events/:event_id/replay', {
    post: async (request, response) => {
      const { event_id: eventId } = parseParams(eventPath, request);
      const { dry_run: dryRun } = parseBody(replayEventRequest, request);
      response.json(await replayOne(deps, { eventId, dryRun }, actorOf(response)));
    },
  });
}
