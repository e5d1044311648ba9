import { replayEventsRequest, runAccepted } from '@billing/domain';
import { requestReplay } from '@billing/store';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import { announceRun } from './announce-run.ts';

export const replayEvents = defineEndpoint({
  method: 'post',
  path: '/api/v1/admin/events/replay',
  operationId: 'replayEvents',
  tag: 'Maintenance',
  summary: 'Process many events again',
  description:
    'All that were recorded, or those of an object, of a window of time (`from` counts, `to` does not), or of both.',
  access: { admin: 'operator' },
  body: {
    schema: replayEventsRequest,
    example: { from: '2026-11-22T00:00:00Z', to: '2026-11-23T00:00:00Z', dry_run: true },
  },
  answers: [
    {
      status: 202,
      description: 'Started; read it like a reconcile run.',
      schema: runAccepted,
      example: { run_id: 'run_5b1e' },
    },
  ],
  errors: [],
  handle: async (deps, { body, actor }) => {
    const { runId } = await requestReplay(deps.database, body, actor);
    await announceRun(deps, 'replay', runId);
    return { body: { run_id: runId } };
  },
});
