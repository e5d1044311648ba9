import { meterReportList, meterReportsQuery } from '@billing/domain';
import { listMeterReports as listRows } from '@billing/store';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import { pageExample, presentPage } from '../page.ts';

export const listMeterReports = defineEndpoint({
  method: 'get',
  path: '/api/v1/admin/usage/meter-reports',
  operationId: 'listMeterReports',
  tag: 'Records',
  summary: 'Usage on its way to meters of Stripe',
  description:
    'Hours whose usage Stripe was not told of yet, reports that it has not confirmed, and usage that was older than Stripe takes. `state=delivered` lists what it has.',
  access: { admin: 'viewer', limitedBy: 'handler' },
  readsReplica: true,
  query: meterReportsQuery,
  answers: [
    {
      status: 200,
      description: 'The newest hour first.',
      schema: meterReportList,
      example: pageExample({
        project_id: 'shop',
        user_id: 'user_1',
        feature_code: 'api_calls',
        hour: '2026-11-22T10:00:00.000Z',
        state: 'sending',
        sequence: 0,
        quantity: 120,
        event_name: 'api_calls',
        stripe_customer_id: 'cus_1',
        since: '2026-11-22T11:05:00.000Z',
        attempts: 3,
        problem: 'No meter found with the event name api_calls.',
      }),
    },
  ],
  errors: [],
  handle: async ({ reader, clock }, { query, onlyProject }) => {
    const page = await listRows(reader, { ...query, onlyProject, now: clock() });
    return {
      body: presentPage(page, (row) => ({
        project_id: row.projectId,
        user_id: row.userId,
        feature_code: row.featureCode,
        hour: row.hour.toISOString(),
        state: row.state,
        sequence: row.sequence,
        quantity: row.quantity,
        event_name: row.eventName,
        stripe_customer_id: row.customerId,
        since: row.since.toISOString(),
        attempts: row.attempts,
        problem: row.problem,
      })),
    };
  },
});
