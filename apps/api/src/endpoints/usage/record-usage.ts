import { queuedOut, ServiceError, toUseCommand, usageEventRequest, usageOut } from '@billing/domain';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import { queueUsage } from '../../usage/queue-usage.ts';
import { eventAnswer } from '../../usage/take-usage.ts';
import { usageExample } from './usage-examples.ts';

export const recordUsage = defineEndpoint({
  method: 'post',
  path: '/api/v1/usage',
  operationId: 'recordUsage',
  tag: 'Usage',
  summary: 'Take usage, or record it',
  description:
    'A 200 means committed. `enforce` takes all or nothing: not enough is 200 with `allowed: false`, stores nothing, and leaves the id free. `record` stores what happened; while the database is away it is queued (202).',
  access: { project: 'usage' },
  body: {
    schema: usageEventRequest,
    example: { user_id: 'user_1', feature_code: 'api_calls', event_id: 'req_1', quantity: 1 },
  },
  answers: [
    { status: 200, description: 'Decided.', schema: usageOut, example: usageExample },
    {
      status: 202,
      description: 'Queued: it is applied by the same rules later.',
      schema: queuedOut,
      example: { event_id: 'req_1', queued: true },
    },
  ],
  errors: [
    'event_not_found',
    'feature_not_metered',
    'timestamp_out_of_range',
    'event_conflict',
    'correction_too_large',
    'level_below_zero',
    'usage_unavailable',
  ],
  handle: async (deps, { project: { projectId }, body }) => {
    const key = { projectId, userId: body.user_id, featureCode: body.feature_code };
    try {
      return { body: eventAnswer(await deps.takeUsage({ ...key, command: toUseCommand(body) })) };
    } catch (error) {
      const isAway = error instanceof ServiceError && error.code === 'usage_unavailable';
      if (!isAway || body.mode !== 'record') throw error;
      const [queued] = await queueUsage(deps, projectId, { requests: [body] });
      if (queued === undefined) throw error;
      return { status: 202, body: queued };
    }
  },
});
