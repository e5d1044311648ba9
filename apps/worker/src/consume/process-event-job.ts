import { apiReleaseOf, isHandledEventType, stripeEventJob } from '@billing/domain';
import { isDatabaseUnavailable, writeOutcomes } from '@billing/store';
import type { Job } from 'bullmq';
import { z } from 'zod';
import type { JobOutcome } from '@billing/sync';
import type { Processor } from './create-consumer.ts';
import type { SyncDeps } from '@billing/sync';
import { isDatabaseAway } from '@billing/sync';
import { pauseAfterFailureMs, pauseForOthersMs, pauseInOutageMs } from '@billing/sync';
import { acceptEvent, unreadable } from '@billing/sync';
import type { EventApplier } from '@billing/sync';
import { toLedger } from '@billing/sync';
import type { QueuedEvent, Target } from '@billing/sync';

/** What the worker itself notes in a job's data between two tries. */
const tally = z.object({
  failures: z.number().int().min(0).catch(0).default(0),
  outages: z.number().int().min(0).catch(0).default(0),
});

/** A worker died that often while it ran this job: the job is the likely cause. */
const maxCrashes = 10;

const done: JobOutcome = { kind: 'done' };

type Parsed = z.output<typeof stripeEventJob>;

/** The processor of `stripe-events`: a job is done once the ledger has its event; until then it stays. */
export function createEventProcessor(deps: SyncDeps, applier: EventApplier): Processor {
  return async (job) => {
    const parsed = stripeEventJob.safeParse(job.data);
    if (!parsed.success) {
      // No event id, so no row in the ledger: only somebody who feeds the queue by hand can cause it.
      deps.logger.error('job_not_understood', { queue: 'stripe-events' });
      deps.metrics.webhookEventsProcessed.inc({ type: 'unknown', outcome: 'rejected' });
      return done;
    }
    const raw = { ...parsed.data.event };
    const receivedAt = Date.parse(parsed.data.received_at);
    const queued = acceptEvent({ raw, receivedAt }, deps);
    if (queued === null) return laterOrIgnored(deps, parsed.data);
    try {
      if (job.stalledCounter >= maxCrashes) return await giveUp(deps, queued, 'crashed_repeatedly');
      const result = await applier.apply(queued);
      report(deps, queued, result.status);
      return done;
    } catch (error) {
      return handleFailure(deps, { job, queued, error });
    }
  };
}

function report(deps: SyncDeps, { event, receivedAt }: QueuedEvent, outcome: string): void {
  // A type that nobody handles can only come by hand or from a newer version: its name is no label.
  const type = isHandledEventType(event.type) ? event.type : 'other';
  deps.metrics.webhookEventsProcessed.inc({ type, outcome });
  deps.counters.apiVersions.inc({ version: apiReleaseOf(event.apiVersion) });
  // What waits for somebody to act is worth a line; the ledger has the rest.
  const isRemarkable = outcome === 'quarantined' || outcome === 'failed';
  deps.logger[isRemarkable ? 'info' : 'debug']('event_processed', {
    event_id: event.id,
    type: event.type,
    outcome,
  });
  if (outcome !== 'duplicate')
    deps.metrics.webhookProcessing.observe(Math.max(0, deps.clock() - receivedAt) / 1000);
}

/** A newer version of the service may know the type: back to the queue, until its time is over. */
async function laterOrIgnored(deps: SyncDeps, { event, received_at }: Parsed): Promise<JobOutcome> {
  const receivedAt = Date.parse(received_at);
  if (deps.clock() - receivedAt < deps.eventRetryMs) return { kind: 'later', pauseMs: pauseForOthersMs() };
  const raw = { ...event };
  const target: Target = { kind: 'none', status: 'ignored', reason: 'unhandled_type' };
  return record(deps, { event: unreadable({ raw, receivedAt }), target, receivedAt, payload: {} });
}

/** Writes an event that nothing else is done about to the ledger; while Postgres is away it waits. */
async function record(deps: SyncDeps, queued: QueuedEvent): Promise<JobOutcome> {
  const { target } = queued;
  const verdict =
    target.kind === 'none' ? target : { status: 'failed' as const, reason: 'processing_failed' };
  const row = toLedger(
    queued,
    { status: verdict.status, reason: verdict.reason, awaits: null, projectId: null },
    deps.clock(),
  );
  try {
    await writeOutcomes(deps.database, [{ kind: 'none', events: [row] }]);
  } catch (error) {
    deps.logger.warn('event_outcome_not_recorded', { event_id: queued.event.id, error });
    return { kind: 'later', pauseMs: pauseInOutageMs(3) };
  }
  report(deps, queued, verdict.status);
  return done;
}

function giveUp(deps: SyncDeps, queued: QueuedEvent, reason: string): Promise<JobOutcome> {
  deps.logger.error('event_failed', { event_id: queued.event.id, type: queued.event.type, reason });
  return record(deps, { ...queued, target: { kind: 'none', status: 'failed', reason } });
}

async function handleFailure(
  deps: SyncDeps,
  { job, queued, error }: { job: Job; queued: QueuedEvent; error: unknown },
): Promise<JobOutcome> {
  const { failures, outages } = tally.parse(job.data);
  const { id, type } = queued.event;
  const isOver = deps.clock() - queued.receivedAt >= deps.eventRetryMs;
  // A statement that was cut off (a locked table, a full pool) is nobody's fault either, unless it goes on so.
  const isCutOff = !isOver && isDatabaseUnavailable(error);
  if (isCutOff || (await isDatabaseAway(deps.database))) {
    deps.logger.warn('event_waits_for_postgres', { event_id: id, type, error });
    return { kind: 'later', pauseMs: pauseInOutageMs(outages), data: { ...job.data, outages: outages + 1 } };
  }
  deps.logger.error('event_processing_failed', { event_id: id, type, failures: failures + 1, error });
  if (isOver) return giveUp(deps, queued, 'processing_failed');
  return {
    kind: 'later',
    pauseMs: pauseAfterFailureMs(failures),
    data: { ...job.data, failures: failures + 1, outages: 0 },
  };
}
