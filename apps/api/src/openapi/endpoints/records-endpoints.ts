import {
  auditList,
  auditQuery,
  eventList,
  eventsQuery,
  quarantineList,
  quarantineQuery,
} from '@billing/domain';
import type { Endpoint } from '../endpoint.ts';
import { eventExample, listExample } from './examples.ts';

const base = { tag: 'Records', access: 'admin' } as const;

const auditExample = {
  audit_id: '17',
  at: '2026-11-22T10:00:00.000Z',
  actor: 'alice',
  action: 'grant.create',
  project_id: 'shop',
  target_type: 'grant',
  target_id: 'grant_8c1f',
  reason: 'Sorry for the outage',
  details: { feature_code: 'premium_export' },
  request_id: '0b9d4c0e-6f0e-4d39-9a44-2f5c1d0f3a10',
};

export const recordsEndpoints: readonly Endpoint[] = [
  {
    ...base,
    method: 'get',
    path: '/api/v1/admin/events',
    operationId: 'listEvents',
    summary: "What became of Stripe's events",
    description:
      '`applied`: took effect; `stale`: something newer was known; `ignored`: not ours, with the reason; `quarantined`: waits for a mapping; `failed`: given up, can be replayed.',
    query: eventsQuery,
    answers: [
      { status: 200, description: 'Newest first.', schema: eventList, example: listExample(eventExample) },
    ],
    errors: [],
  },
  {
    ...base,
    method: 'get',
    path: '/api/v1/admin/quarantine',
    operationId: 'listQuarantine',
    summary: 'Events that wait for a mapping',
    description: 'Mapping the customer or price that `awaits` names heals them with no call to Stripe.',
    query: quarantineQuery,
    answers: [
      {
        status: 200,
        description: 'Newest first.',
        schema: quarantineList,
        example: listExample({
          ...eventExample,
          status: 'quarantined',
          reason: 'unknown_customer',
          customer_id: 'cus_123',
          awaits: 'cus_123',
        }),
      },
    ],
    errors: [],
  },
  {
    ...base,
    method: 'get',
    path: '/api/v1/admin/audit',
    operationId: 'listAudit',
    summary: 'Who did what, when and why',
    description: 'Rows are never changed or deleted. Of a window of time both ends count, `from` and `to`.',
    query: auditQuery,
    answers: [
      { status: 200, description: 'Newest first.', schema: auditList, example: listExample(auditExample) },
    ],
    errors: [],
  },
];
