import { soldSubscriptionList, soldSubscriptionsQuery, toTimestampOrNull } from '@billing/domain';
import type { SoldSubscriptionOut } from '@billing/domain';
import { listSoldSubscriptions as listRows } from '@billing/store';
import type { SoldSubscription } from '@billing/store';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import { pageExample, presentPage } from '../page.ts';

const present = (row: SoldSubscription): SoldSubscriptionOut => ({
  subscription_id: row.id,
  project_id: row.projectId,
  user_id: row.userId,
  owner_source: row.ownerSource,
  stripe_customer_id: row.stripeCustomerId,
  status: row.status,
  cancel_at: row.cancelAt?.toISOString() ?? null,
  cancel_at_period_end: row.cancelAtPeriodEnd,
  ended_at: row.endedAt?.toISOString() ?? null,
  trial_end: row.trialEnd?.toISOString() ?? null,
  collection_paused: row.collectionPaused,
  started_at: row.startDate?.toISOString() ?? null,
  items: row.items.map((item) => ({
    item_id: item.itemId,
    stripe_price_id: item.stripePriceId,
    price_id: item.priceId,
    product_id: item.productId,
    quantity: item.quantity,
    current_period_start: toTimestampOrNull(item.currentPeriodStart),
    current_period_end: toTimestampOrNull(item.currentPeriodEnd),
  })),
  confirmed: row.confirmed,
  created: row.createdAt.toISOString(),
});

export const soldItemExample = {
  stripe_price_id: 'price_123',
  price_id: 'pro_monthly',
  product_id: 'pro',
  quantity: 1,
};

export const listSoldSubscriptions = defineEndpoint({
  method: 'get',
  path: '/api/v1/admin/subscriptions',
  operationId: 'listSoldSubscriptions',
  tag: 'Records',
  summary: 'Subscriptions of all projects',
  description:
    "One that holds items of several projects is there once for each of them, with that project's items. Those without an owner are there where no project and no user is asked for.",
  access: { admin: 'viewer', limitedBy: 'handler' },
  readsReplica: true,
  query: soldSubscriptionsQuery,
  answers: [
    {
      status: 200,
      description: 'Those that this service heard of last first.',
      schema: soldSubscriptionList,
      example: pageExample({
        subscription_id: 'sub_123',
        project_id: 'shop',
        user_id: 'user_1',
        owner_source: 'mapping',
        stripe_customer_id: 'cus_123',
        status: 'active',
        cancel_at: null,
        cancel_at_period_end: false,
        ended_at: null,
        trial_end: null,
        collection_paused: false,
        started_at: '2026-11-01T09:00:00.000Z',
        items: [
          {
            item_id: 'si_123',
            ...soldItemExample,
            current_period_start: '2026-11-01T09:00:00.000Z',
            current_period_end: '2026-12-01T09:00:00.000Z',
          },
        ],
        confirmed: true,
        created: '2026-11-01T09:00:02.000Z',
      }),
    },
  ],
  errors: [],
  handle: async ({ reader }, { query, onlyProject }) => ({
    body: presentPage(await listRows(reader, { ...query, onlyProject }), present),
  }),
});
