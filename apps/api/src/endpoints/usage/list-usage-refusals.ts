import { usageRefusalList, usageRefusalsQuery } from '@billing/domain';
import { listUsageRefusals as listRows } from '@billing/store';
import { z } from 'zod';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import { pageExample, presentPage } from '../page.ts';

const request = z.record(z.string(), z.unknown());

export const listUsageRefusals = defineEndpoint({
  method: 'get',
  path: '/api/v1/admin/usage/refusals',
  operationId: 'listUsageRefusals',
  tag: 'Records',
  summary: 'Queued usage that was refused',
  description:
    'Usage that was answered with 202 while the database was away, and refused when it was applied. It is not counted.',
  access: { admin: 'viewer', limitedBy: 'handler' },
  readsReplica: true,
  query: usageRefusalsQuery,
  answers: [
    {
      status: 200,
      description: 'Newest first.',
      schema: usageRefusalList,
      example: pageExample({
        project_id: 'shop',
        user_id: 'user_1',
        feature_code: 'api_calls',
        event_id: 'req_1',
        refused_at: '2026-11-22T10:00:00.000Z',
        code: 'event_conflict',
        detail: 'Send another `event_id`: this one was used for another event.',
        request: { user_id: 'user_1', feature_code: 'api_calls', event_id: 'req_1', quantity: 2 },
      }),
    },
  ],
  errors: [],
  handle: async ({ reader }, { query, onlyProject }) => {
    const page = await listRows(reader, { ...query, projectId: query.project_id, onlyProject });
    return {
      body: presentPage(page, (row) => ({
        project_id: row.projectId,
        user_id: row.userId,
        feature_code: row.featureCode,
        event_id: row.eventId,
        refused_at: row.refusedAt.toISOString(),
        code: row.code,
        detail: row.detail,
        request: request.parse(row.request),
      })),
    };
  },
});
