import {
  dayMs,
  mostRevenueDays,
  revenueDaysOut,
  revenueDaysQuery,
  ServiceError,
  subscriptionStatuses,
  toTimestamp,
} from '@billing/domain';
import type { RevenueDayOut } from '@billing/domain';
import { listRevenueDays as listRows } from '@billing/store';
import type { RevenueDay } from '@billing/store';
import { defineEndpoint } from '../../http/define-endpoint.ts';

const present = (row: RevenueDay): RevenueDayOut => ({
  day: row.day,
  mrr: row.mrr,
  active_subscriptions: row.active,
  trialing_subscriptions: row.trialing,
  total_subscriptions: row.total,
  subscriptions_by_status: subscriptionStatuses.flatMap((status) => {
    const subscriptions = row.statuses[status];
    return subscriptions === undefined ? [] : [{ status, subscriptions }];
  }),
  new_subscriptions: row.begun,
  lost_subscriptions: row.ended,
  written_at: row.writtenAt.toISOString(),
});

const shownDays = 30;

/** The days of the query; throws `invalid_request` where they are too many. */
function windowOf(asked: { from?: string | undefined; to?: string | undefined }, now: number) {
  const to = asked.to ?? toTimestamp(now).slice(0, 10);
  const from = asked.from ?? toTimestamp(Math.max(0, Date.parse(to) - (shownDays - 1) * dayMs)).slice(0, 10);
  const days = (Date.parse(to) - Date.parse(from)) / dayMs;
  if (days < 0 || days > mostRevenueDays)
    throw new ServiceError('invalid_request', `Ask for at most ${mostRevenueDays} days.`, {
      errors: [{ path: 'from', message: `must be before \`to\`, by at most ${mostRevenueDays} days` }],
    });
  return { from, to };
}

export const listRevenueDays = defineEndpoint({
  method: 'get',
  path: '/api/v1/admin/mrr',
  operationId: 'listRevenueDays',
  tag: 'Records',
  summary: 'Monthly recurring revenue, by days',
  description:
    'The worker writes the row of the running day every ten minutes; the last one of a day stays. Days are in UTC. What counts is said at `GET /api/v1/metrics/project/{project_id}`.',
  access: { admin: 'viewer', limitedBy: 'handler' },
  readsReplica: true,
  query: revenueDaysQuery,
  answers: [
    {
      status: 200,
      description: 'A row for each day on which the worker ran.',
      schema: revenueDaysOut,
      example: {
        project_id: 'shop',
        data: [
          {
            day: '2026-11-22',
            mrr: [{ currency: 'usd', amount: 40_000 }],
            active_subscriptions: 40,
            trialing_subscriptions: 2,
            total_subscriptions: 57,
            subscriptions_by_status: [
              { status: 'trialing', subscriptions: 2 },
              { status: 'active', subscriptions: 40 },
              { status: 'past_due', subscriptions: 1 },
              { status: 'canceled', subscriptions: 14 },
            ],
            new_subscriptions: 3,
            lost_subscriptions: 1,
            written_at: '2026-11-22T23:52:10.000Z',
          },
        ],
      },
    },
  ],
  errors: [],
  handle: async ({ reader, clock }, { query, onlyProject }) => {
    const { project_id: projectId } = query;
    const window = windowOf(query, clock());
    // A name that is limited to a project learns nothing of the others, not even which there are.
    const isHidden = onlyProject !== null && onlyProject !== projectId;
    const rows = isHidden ? [] : await listRows(reader, { projectId, ...window });
    return { body: { project_id: projectId, data: rows.map(present) } };
  },
});
