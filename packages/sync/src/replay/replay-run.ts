import { replayEventResponse, replayResult } from '@billing/domain';
import type { ReplayEventResponse, ReplayResult } from '@billing/domain';
import { findLedgerEvents, getLedgerEvent } from '@billing/store';
import type { StoredEvent } from '@billing/store';
import { z } from 'zod';
import type { MaintenanceDeps } from '../deps.ts';
import { isDatabaseAway, pauseInOutageMs } from '../outages.ts';
import { createRunWorker } from '../run-worker.ts';
import { inBackground } from '../stripe/read-budget.ts';
import { findPayload, replayEvent } from './replay-event.ts';
import type { Replayed } from './replay-event.ts';

/** Why an event has no payload: nobody keeps it any more, or Stripe could not be asked. */
type NoPayload = 'payload_expired' | 'stripe_unavailable';

/** Replays one event of a run. One that cannot be applied does not stop the run. */
async function replayOne(
  deps: MaintenanceDeps,
  stored: StoredEvent,
  dryRun: boolean,
): Promise<Replayed | NoPayload> {
  try {
    const found = await findPayload(deps, stored);
    if (found.kind !== 'found') return found.kind === 'missing' ? 'payload_expired' : 'stripe_unavailable';
    return await replayEvent(deps, { stored, payload: found.object }, { dryRun });
  } catch (error) {
    if (await isDatabaseAway(deps.database)) throw error;
    deps.logger.error('event_replay_failed', { event_id: stored.eventId, error });
    return { outcome: 'failed', reason: 'processing_failed', changes: [] };
  }
}

const eventParams = z.object({ event_id: z.string() });
const eventState = z.object({ phase: z.string(), objects: z.number() });

/** Replays one event for a caller who waits for the answer; a run that fails for lack of its payload says why by a code. */
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
    const replayed = await replayOne(deps, stored, run.dryRun);
    if (typeof replayed === 'string') return { kind: 'failed', why: replayed };
    return { kind: 'done', result: { ...result, ...replayed } };
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

function withReplayed(
  result: ReplayResult,
  eventId: string,
  replayed: Replayed | 'payload_expired',
): ReplayResult {
  if (replayed === 'payload_expired')
    return { ...result, events_without_payload: result.events_without_payload + 1 };
  const { outcome, changes } = replayed;
  const all = [...result.changes, ...changes.map((change) => ({ event_id: eventId, ...change }))];
  return {
    ...result,
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
      events_without_payload: 0,
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
    for (const stored of events) {
      const replayed = await replayOne(inBackground(deps), stored, run.dryRun);
      // All of the page again: an event that was replayed is stale then.
      if (replayed === 'stripe_unavailable')
        return { kind: 'later', pauseMs: pauseInOutageMs(4), why: 'Stripe cannot be asked for a payload' };
      result = withReplayed(result, stored.eventId, replayed);
    }
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
