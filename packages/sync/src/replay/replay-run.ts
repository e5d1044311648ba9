import { replayResult } from '@billing/domain';
import type { ReplayResult } from '@billing/domain';
import { findLedgerEvents } from '@billing/store';
import type { StoredEvent } from '@billing/store';
import { z } from 'zod';
import type { MaintenanceDeps } from '../deps.ts';
import { isDatabaseAway } from '../database-outage.ts';
import { createRunWorker } from '../runs/work-run.ts';
import { inBackground } from '../stripe/in-background.ts';
import { replayEvent } from './replay-event.ts';
import type { Replayed } from './replay-event.ts';

const perStep = 50;

/** All changes count; that many are listed. */
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

async function replayOne(deps: MaintenanceDeps, stored: StoredEvent, dryRun: boolean): Promise<Replayed> {
  try {
    return await replayEvent(deps, stored, { dryRun });
  } catch (error) {
    if (await isDatabaseAway(deps.database)) throw error;
    // One that cannot be applied must not keep the others from it.
    deps.logger.error('event_replay_failed', { event_id: stored.eventId, error });
    return { outcome: 'failed', reason: 'processing_failed', changes: [] };
  }
}

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
    const after =
      at.state.after === null
        ? null
        : { created: new Date(at.state.after.created), eventId: at.state.after.event_id };
    const events = await findLedgerEvents(deps.database, { objectId, from, to, after, limit: perStep });
    let { result } = at;
    for (const stored of events)
      result = withReplayed(result, stored.eventId, await replayOne(inBackground(deps), stored, run.dryRun));
    const last = events.at(-1);
    if (last === undefined) return { kind: 'done', result };
    const place = { created: last.created.toISOString(), event_id: last.eventId };
    return {
      kind: 'next',
      state: { phase: 'replaying', objects: at.state.objects + events.length, after: place },
      result,
    };
  },
});
