import { eventList, eventsQuery, eventStatuses } from '@billing/domain';
import type { EventOut } from '@billing/domain';
import { listEvents as listRows } from '@billing/store';
import type { LedgerRow } from '@billing/store';
import { z } from 'zod';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import { pageExample, presentPage } from '../page.ts';

const status = z.enum(eventStatuses);

export const presentEvent = (row: Omit<LedgerRow, 'projectId' | 'apiVersion'>): EventOut => ({
  event_id: row.eventId,
  type: row.type,
  object_id: row.objectId,
  status: status.parse(row.status),
  reason: row.reason,
  created: row.created.toISOString(),
  received_at: row.receivedAt.toISOString(),
  processed_at: row.processedAt.toISOString(),
  attempts: row.attempts,
  trace_id: row.traceId,
});

export const eventExample = {
  event_id: 'evt_123',
  type: 'customer.subscription.updated',
  object_id: 'sub_123',
  status: 'applied',
  reason: null,
  created: '2026-11-22T10:00:00.000Z',
  received_at: '2026-11-22T10:00:00.120Z',
  processed_at: '2026-11-22T10:00:00.131Z',
  attempts: 1,
  trace_id: null,
};

export const listEvents = defineEndpoint({
  method: 'get',
  path: '/api/v1/admin/events',
  operationId: 'listEvents',
  tag: 'Records',
  summary: "What became of Stripe's events",
  description:
    '`applied`: took effect; `stale`: something newer was known; `ignored`: not ours, with the reason; `quarantined`: waits for a mapping; `failed`: given up, can be replayed.',
  access: { admin: 'viewer', limitedBy: 'handler' },
  readsReplica: true,
  query: eventsQuery,
  answers: [
    { status: 200, description: 'Newest first.', schema: eventList, example: pageExample(eventExample) },
  ],
  errors: [],
  handle: async ({ reader }, { query, onlyProject }) => ({
    body: presentPage(await listRows(reader, { ...query, onlyProject }), presentEvent),
  }),
});
