import { replayEventResponse, replayResult } from '@billing/domain';
import type { ReplayEventResponse, ReplayResult } from '@billing/domain';
import { findLedgerEvents, getLedgerEvent } from '@billing/store';
import type { StoredEvent } from '@billing/store';
import { z } from 'zod';
import type { MaintenanceDeps } from '../deps.ts';
import { isDatabaseAway } from '../outages.ts';
import { createRunWorker } from '../run-worker.ts';
import { inBackground } from '../stripe/read-budget.ts';
import { replayEvent } from './replay-event.ts';
import type { Replayed } from './replay-event.ts';

/** Replays one event of a run. One that cannot be applied does not stop the run. */
async function replayOne(deps: MaintenanceDeps, stored: StoredEvent, dryRun: boolean): Promise<Replayed> {
  try {
    return await replayEvent(deps, stored, { dryRun });
  } catch (error) {
    if (await isDatabaseAway(deps.database)) throw error;
    deps.logger.error('event_replay_failed', { event_id: stored.eventId, error });
    return { outcome: 'failed', reason: 'processing_failed', changes: [] };
  }
}

const eventParams = z.object({ event_id: z.string() });
const eventState = z.object({ phase: z.string(), objects: z.number() });

/** Replays one event for a caller who waits for the answer. */
export const replayEventRun = createRunWorker<z.output<typeof eventState>, ReplayEventResponse>({
  state: eventState,
  result: replayEventResponse,
  begin: (run) => ({
    state: { phase: 'replaying', objects: 0 },
    result: {
      event_id: eventParams.parse(run.params).event_id,
      dry_run: run.dryRun,
      outcome: 'failed',
      reason: null,
      changes: [],
    },
  }),
  step: async (deps, run, { result }) => {
    const stored = await getLedgerEvent(deps.database, result.event_id);
    if (stored === null) return { kind: 'failed', why: 'the event is gone' };
    return { kind: 'done', result: { ...result, ...(await replayOne(deps, stored, run.dryRun)) } };
  },
});

const eventsPerStep = 50;

/** All changes are counted; that many are listed. */
const mostChanges = 1_000;

const moment = z.iso
  .datetime()
  .transform((at) => new Date(at))
  .nullable();

const params = z.object({ object_id: z.string().nullable(), from: moment, to: moment });

const state = z.object({
  phase: z.string(),
  objects: z.number(),
  after: z.object({ created: z.string(), event_id: z.string() }).nullable(),
});

function withReplayed(result: ReplayResult, eventId: string, { outcome, changes }: Replayed): ReplayResult {
  const all = [...result.changes, ...changes.map((change) => ({ event_id: eventId, ...change }))];
  return {
    events_replayed: result.events_replayed + 1,
    outcomes: { ...result.outcomes, [outcome]: result.outcomes[outcome] + 1 },
    changes: all.slice(0, mostChanges),
    changes_truncated: result.changes_truncated || all.length > mostChanges,
  };
}

/** Replays the events of an object or of a window of time, oldest first. */
export const replayRun = createRunWorker<z.output<typeof state>, ReplayResult>({
  state,
  result: replayResult,
  begin: () => ({
    state: { phase: 'replaying', objects: 0, after: null },
    result: {
      events_replayed: 0,
      outcomes: { applied: 0, stale: 0, ignored: 0, quarantined: 0, failed: 0 },
      changes: [],
      changes_truncated: false,
    },
  }),
  step: async (deps, run, at) => {
    const { object_id: objectId, from, to } = params.parse(run.params);
    const last = at.state.after;
    const after = last === null ? null : { created: new Date(last.created), eventId: last.event_id };
    const events = await findLedgerEvents(deps.database, { objectId, from, to, after, limit: eventsPerStep });
    let { result } = at;
    for (const stored of events)
      result = withReplayed(result, stored.eventId, await replayOne(inBackground(deps), stored, run.dryRun));
    const newest = events.at(-1);
    if (newest === undefined) return { kind: 'done', result };
    const position = { created: newest.created.toISOString(), event_id: newest.eventId };
    return {
      kind: 'next',
      state: { phase: 'replaying', objects: at.state.objects + events.length, after: position },
      result,
    };
  },
});
