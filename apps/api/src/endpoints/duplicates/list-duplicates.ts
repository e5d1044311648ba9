import { duplicateList, duplicatesQuery, toTimestamp } from '@billing/domain';
import type { DuplicateOut } from '@billing/domain';
import { listDuplicates as listRows } from '@billing/store';
import type { Duplicate } from '@billing/store';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import { pageExample, presentPage } from '../page.ts';

const present = (row: Duplicate): DuplicateOut => ({
  project_id: row.projectId,
  user_id: row.userId,
  subscription_id: row.subscriptionId,
  stripe_customer_id: row.stripeCustomerId,
  status: row.status,
  group: row.group,
  stripe_price_id: row.stripePriceId,
  is_duplicate: row.duplicateOf !== null,
  duplicate_of: row.duplicateOf,
  created: toTimestamp(row.created),
});

export const listDuplicates = defineEndpoint({
  method: 'get',
  path: '/api/v1/admin/duplicates',
  operationId: 'listDuplicates',
  tag: 'Records',
  summary: 'Subscriptions that a user has twice',
  description:
    'Live subscriptions of one user that share a price or a group of plans: paid in two tabs at once, or made at Stripe. Nothing is canceled by itself. What is the user’s only by a buyer’s hint is not among them.',
  access: { admin: 'viewer', limitedBy: 'handler' },
  readsReplica: true,
  query: duplicatesQuery,
  answers: [
    {
      status: 200,
      description: 'By user, the oldest subscription of each first.',
      schema: duplicateList,
      example: pageExample({
        project_id: 'shop',
        user_id: 'user_1',
        subscription_id: 'sub_124',
        stripe_customer_id: 'cus_123',
        status: 'active',
        group: 'plan',
        stripe_price_id: null,
        is_duplicate: true,
        duplicate_of: 'sub_123',
        created: '2026-11-22T10:00:00.000Z',
      }),
    },
  ],
  errors: [],
  handle: async ({ reader }, { query: { project_id: asked = null, ...page }, onlyProject }) => {
    if (asked !== null && onlyProject !== null && asked !== onlyProject)
      return { body: { data: [], next_cursor: null } };
    return {
      body: presentPage(await listRows(reader, { ...page, projectId: onlyProject ?? asked }), present),
    };
  },
});
