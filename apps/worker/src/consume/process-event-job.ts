import { apiReleaseOf, isHandledEventType, receivedAtOf, stripeEventJob } from '@billing/domain';
import { activeTraceId } from '@billing/platform';
import { ErasureKeyMissing, isDatabaseUnavailable } from '@billing/store';
import type { Job } from 'bullmq';
import { z } from 'zod';
import {
  acceptEvent,
  isDatabaseAway,
  meansErased,
  pauseAfterFailureMs,
  pauseForOthersMs,
  pauseInOutageMs,
  recordEvent,
  unreadableEvent,
} from '@billing/sync';
import type { EventApplier, JobOutcome, QueuedEvent, ReceivedEvent, SyncDeps } from '@billing/sync';
import type { Processor } from './create-consumer.ts';

/** What the worker keeps in a job's data between two attempts. */
const tally = z.object({
  failures: z.number().int().min(0).catch(0).default(0),
  outages: z.number().int().min(0).catch(0).default(0),
});

/** After that many crashes of a worker while it processed the job, the job is the likely cause. */
const maxCrashes = 10;

const done: JobOutcome = { kind: 'done' };

type Parsed = z.output<typeof stripeEventJob>;

/** The processor of `stripe-events`: a job is done once the ledger has its event; until then it stays. */
export function createEventProcessor(deps: SyncDeps, applier: EventApplier): Processor {
  return async (job) => {
    const parsed = stripeEventJob.safeParse(job.data);
    if (!parsed.success) {
      // No event id, so no ledger row: only a job that was added by hand can look like this.
      deps.logger.error('job_not_understood', { queue: 'stripe-events' });
      deps.metrics.webhookEventsProcessed.inc({ type: 'unknown', outcome: 'rejected' });
      return done;
    }
    const raw = { ...parsed.data.event };
    const receivedAt = receivedAtOf(parsed.data, deps.clock());
    const traceId = traceOf(parsed.data);
    const queued = acceptEvent({ raw, receivedAt, traceId }, deps);
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

/** Of the request that brought the event; with OTLP a job that no request added has a trace of its own. */
const traceOf = (job: Parsed): string | undefined => job.trace_id ?? activeTraceId();

function report(deps: SyncDeps, { event, receivedAt, traceId }: ReceivedEvent, outcome: string): void {
  // An unhandled type can only be added by hand or by a newer version: its name must not become a label.
  const type = isHandledEventType(event.type) ? event.type : 'other';
  deps.metrics.webhookEventsProcessed.inc({ type, outcome });
  deps.counters.apiVersions.inc({ version: apiReleaseOf(event.apiVersion) });
  // Outcomes that need action are logged; the ledger has all of them.
  const needsAction = outcome === 'quarantined' || outcome === 'failed';
  deps.logger[needsAction ? 'info' : 'debug']('event_processed', {
    event_id: event.id,
    type: event.type,
    outcome,
  });
  if (outcome === 'duplicate') return;
  const value = Math.max(0, deps.clock() - receivedAt) / 1000;
  deps.metrics.webhookProcessing.observe(value);
  if (traceId !== undefined) deps.metrics.exemplars.note('webhook_processing_seconds', { value, traceId });
}

/**
 * A newer version of the service may know the type: back to the queue until the retry time is over, unless it names a user who
 * was erased.
 */
async function laterOrIgnored(deps: SyncDeps, job: Parsed): Promise<JobOutcome> {
  const receivedAt = receivedAtOf(job, deps.clock());
  const raw = { ...job.event };
  const unknown = {
    event: unreadableEvent({ raw, receivedAt }),
    receivedAt,
    payload: {},
    traceId: traceOf(job),
  };
  // Where Postgres cannot tell, the next attempt asks again.
  const isErased = meansErased(deps, { ...unknown, payload: raw }).catch(() => false);
  if (await isErased) return record(deps, unknown, { status: 'ignored', reason: 'erased' });
  if (deps.clock() - receivedAt < deps.eventRetryMs) return { kind: 'later', pauseMs: pauseForOthersMs() };
  return record(deps, unknown, { status: 'ignored', reason: 'unhandled_type' });
}

/** Records an event without applying it; while Postgres is unreachable it waits. */
async function record(
  deps: SyncDeps,
  received: ReceivedEvent,
  result: { status: 'ignored' | 'failed'; reason: string },
): Promise<JobOutcome> {
  try {
    await recordEvent(deps, received, result);
  } catch (error) {
    deps.logger.warn('event_outcome_not_recorded', { event_id: received.event.id, error });
    return { kind: 'later', pauseMs: pauseInOutageMs(3) };
  }
  report(deps, received, result.status);
  return done;
}

function giveUp(deps: SyncDeps, queued: QueuedEvent, reason: string): Promise<JobOutcome> {
  deps.logger.error('event_failed', { event_id: queued.event.id, type: queued.event.type, reason });
  return record(deps, queued, { status: 'failed', reason });
}

async function handleFailure(
  deps: SyncDeps,
  { job, queued, error }: { job: Job; queued: QueuedEvent; error: unknown },
): Promise<JobOutcome> {
  const { failures, outages } = tally.parse(job.data);
  const { id, type } = queued.event;
  const isOver = deps.clock() - queued.receivedAt >= deps.eventRetryMs;
  // A cancelled statement (a locked table, a full pool) is not the event's fault either, unless it never ends.
  const isCutOff = !isOver && isDatabaseUnavailable(error);
  const lacksKey = error instanceof ErasureKeyMissing;
  if (isCutOff || lacksKey || (await isDatabaseAway(deps.database))) {
    deps.logger.warn(lacksKey ? 'event_waits_for_erasure_key' : 'event_waits_for_postgres', {
      event_id: id,
      type,
      error,
    });
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
