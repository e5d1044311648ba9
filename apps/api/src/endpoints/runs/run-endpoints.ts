import type { Endpoint } from '../../http/define-endpoint.ts';
import { getReconcileRun, getRun } from './get-run.ts';
import { listRuns } from './list-runs.ts';
import { replayEvent } from './replay-event.ts';
import { replayEvents } from './replay-events.ts';
import { startReconcile } from './start-reconcile.ts';

/** Work that takes longer than a request. */
export const runEndpoints: readonly Endpoint[] = [
  startReconcile, //             POST   /api/v1/admin/reconcile
  listRuns, //                   GET    /api/v1/admin/runs
  getRun, //                     GET    /api/v1/admin/runs/{run_id}
  getReconcileRun, //            GET    /api/v1/admin/reconcile/{run_id}
  replayEvent, //                POST   /api/v1/admin/events/{event_id}/replay
  replayEvents, //               POST   /api/v1/admin/events/replay
];
