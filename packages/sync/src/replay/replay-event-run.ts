import { replayEventResponse } from '@billing/domain';
import type { ReplayEventResponse } from '@billing/domain';
import { getLedgerEvent } from '@billing/store';
import { z } from 'zod';
import { isDatabaseAway } from '../database-outage.ts';
import { createRunWorker } from '../runs/work-run.ts';
import { replayEvent } from './replay-event.ts';

const state = z.object({ phase: z.string(), objects: z.number() });

const params = z.object({ event_id: z.string() });

/** Replays one event for somebody who waits for the answer. */
export const replayEventRun = createRunWorker<z.output<typeof state>, ReplayEventResponse>({
  state,
  result: replayEventResponse,
  begin: (run) => ({
    state: { phase: 'replaying', objects: 0 },
    result: {
      event_id: params.parse(run.params).event_id,
      dry_run: run.dryRun,
      outcome: 'failed',
      reason: null,
      changes: [],
    },
  }),
  step: async (deps, run, { result }) => {
    const stored = await getLedgerEvent(deps.database, result.event_id);
    if (stored === null) return { kind: 'failed', why: 'the event is gone' };
    try {
      const replayed = await replayEvent(deps, stored, { dryRun: run.dryRun });
      return { kind: 'done', result: { ...result, ...replayed } };
    } catch (error) {
      if (await isDatabaseAway(deps.database)) throw error;
      deps.logger.error('event_replay_failed', { event_id: result.event_id, error });
      return { kind: 'done', result: { ...result, outcome: 'failed', reason: 'processing_failed' } };
    }
  },
});
