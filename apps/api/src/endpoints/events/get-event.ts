import { eventDetailOut, ServiceError } from '@billing/domain';
import { readEventDetail } from '@billing/store';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import { eventExample, presentEvent } from './list-events.ts';

export const getEvent = defineEndpoint({
  method: 'get',
  path: '/api/v1/admin/events/{event_id}',
  operationId: 'getEvent',
  tag: 'Records',
  summary: 'One event of Stripe, and what it changed',
  description:
    'What it changed is told by comparing it with the event about the same object before it. What a replay would do now: `POST …/replay` with `dry_run`.',
  access: { admin: 'viewer', limitedBy: 'handler' },
  answers: [
    {
      status: 200,
      description: 'As the ledger has it.',
      schema: eventDetailOut,
      example: {
        ...eventExample,
        customer_id: 'cus_123',
        project_id: 'shop',
        awaits: null,
        api_version: '2026-10-28.dahlia',
        payload: {
          id: 'evt_123',
          type: 'customer.subscription.updated',
          data: { object: { id: 'sub_123', object: 'subscription', status: 'past_due' } },
        },
        previous_event_id: 'evt_122',
        changes: [{ path: 'status', before: 'active', after: 'past_due' }],
        objects: [
          {
            kind: 'subscription',
            id: 'sub_123',
            is_newest: true,
            project_id: 'shop',
            user_id: 'user_1',
          },
        ],
      },
    },
  ],
  errors: ['event_not_found'],
  handle: async ({ database }, { params, onlyProject }) => {
    const found = await readEventDetail(database, { eventId: params.event_id, onlyProject });
    if (found === null) throw new ServiceError('event_not_found', 'Look for it in GET /api/v1/admin/events.');
    const { event, payload, previousEventId, changes, objects } = found;
    return {
      body: {
        ...presentEvent(event),
        customer_id: event.customerId,
        project_id: event.projectId,
        awaits: event.awaits,
        api_version: event.apiVersion,
        payload,
        previous_event_id: previousEventId,
        changes,
        objects: objects.map((one) => ({
          kind: one.kind,
          id: one.id,
          is_newest: one.isNewest,
          project_id: one.projectId,
          user_id: one.userId,
        })),
      },
    };
  },
});
