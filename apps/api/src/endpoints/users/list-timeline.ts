import { timelineList, timelineQuery } from '@billing/domain';
import type { TimelineEntryOut } from '@billing/domain';
import { listTimeline as listRows } from '@billing/store';
import type { TimelineEntry } from '@billing/store';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import { pageExample, presentPage } from '../page.ts';

const present = ({ at, key: _key, quantity, ...row }: TimelineEntry): TimelineEntryOut => ({
  at: at.toISOString(),
  ...row,
  quantity: quantity === null ? null : Number(quantity),
});

export const listTimeline = defineEndpoint({
  method: 'get',
  path: '/api/v1/admin/users/{project_id}/{user_id}/timeline',
  operationId: 'listTimeline',
  tag: 'Access',
  summary: 'What happened to a user',
  description:
    "Stripe's events about the user's objects and customers, grants, usage by hours, webhooks that were sent, and changes by hand (without reads), in one list. The first page is recorded in the audit log.",
  access: { admin: 'viewer' },
  readsReplica: true,
  query: timelineQuery,
  answers: [
    {
      status: 200,
      description: 'Newest first.',
      schema: timelineList,
      example: pageExample({
        at: '2026-11-22T10:00:00.000Z',
        kind: 'stripe_event',
        id: 'evt_123',
        action: 'customer.subscription.updated',
        subject: 'sub_123',
        status: 'applied',
        reason: null,
        actor: null,
        quantity: null,
      }),
    },
  ],
  errors: ['user_not_found'],
  handle: async ({ database, reader }, { params, query, actor }) => {
    const key = { projectId: params.project_id, userId: params.user_id };
    return {
      body: presentPage(await listRows(database, { ...key, query }, { actor, reader }), present),
    };
  },
});
