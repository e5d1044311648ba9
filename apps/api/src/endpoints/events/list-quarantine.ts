import { quarantineList, quarantineQuery } from '@billing/domain';
import { listQuarantine as listRows } from '@billing/store';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import { pageExample, presentPage } from '../page.ts';
import { eventExample, presentEvent } from './list-events.ts';

export const listQuarantine = defineEndpoint({
  method: 'get',
  path: '/api/v1/admin/quarantine',
  operationId: 'listQuarantine',
  tag: 'Records',
  summary: 'Events and objects that wait for a mapping',
  description:
    'Mapping the customer or price that `awaits` names releases them with no call to Stripe. An object that reconcile or the import found, and that no quarantined event is about, is a row without an event, shown only to names without a project.',
  access: { admin: 'viewer', limitedBy: 'handler' },
  readsReplica: true,
  query: quarantineQuery,
  answers: [
    {
      status: 200,
      description: 'Newest first.',
      schema: quarantineList,
      example: pageExample({
        ...eventExample,
        status: 'quarantined',
        reason: 'unknown_customer',
        customer_id: 'cus_123',
        awaits: 'cus_123',
      }),
    },
  ],
  errors: [],
  handle: async ({ reader }, { query, onlyProject }) => ({
    body: presentPage(await listRows(reader, { ...query, onlyProject }), (row) => ({
      ...presentEvent({ ...row, eventId: '', type: '' }),
      event_id: row.eventId,
      type: row.type,
      customer_id: row.customerId,
      awaits: row.awaits,
    })),
  }),
});
