import { soldPurchaseList, soldPurchasesQuery } from '@billing/domain';
import type { SoldPurchaseOut } from '@billing/domain';
import { listSoldPurchases as listRows } from '@billing/store';
import type { SoldPurchase } from '@billing/store';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import { pageExample, presentPage } from '../page.ts';
import { soldItemExample } from './list-subscriptions.ts';

const present = (row: SoldPurchase): SoldPurchaseOut => ({
  purchase_id: row.id,
  project_id: row.projectId,
  user_id: row.userId,
  owner_source: row.ownerSource,
  stripe_customer_id: row.stripeCustomerId,
  status: row.status,
  amount: row.amount === null ? null : Number(row.amount),
  amount_refunded: Number(row.amountRefunded),
  currency: row.currency,
  paid_at: row.paidAt?.toISOString() ?? null,
  dispute_status: row.disputeStatus,
  session_id: row.sessionId,
  charge_id: row.chargeId,
  receipt_invoice_id: row.receiptId,
  items: row.items.map((item) => ({
    stripe_price_id: item.stripePriceId,
    price_id: item.priceId,
    product_id: item.productId,
    quantity: item.quantity,
  })),
  confirmed: row.confirmed,
  created: row.createdAt.toISOString(),
});

export const listSoldPurchases = defineEndpoint({
  method: 'get',
  path: '/api/v1/admin/purchases',
  operationId: 'listSoldPurchases',
  tag: 'Records',
  summary: 'One-time purchases of all projects',
  description:
    'Payments of subscriptions are not among them. Those without an owner are there where no project and no user is asked for.',
  access: { admin: 'viewer', limitedBy: 'handler' },
  readsReplica: true,
  query: soldPurchasesQuery,
  answers: [
    {
      status: 200,
      description: 'Those that this service heard of last first.',
      schema: soldPurchaseList,
      example: pageExample({
        purchase_id: 'pi_123',
        project_id: 'shop',
        user_id: 'user_1',
        owner_source: 'metadata',
        stripe_customer_id: 'cus_123',
        status: 'paid',
        amount: 4900,
        amount_refunded: 0,
        currency: 'usd',
        paid_at: '2026-11-22T10:00:00.000Z',
        dispute_status: null,
        session_id: 'cs_123',
        charge_id: 'ch_123',
        receipt_invoice_id: null,
        items: [soldItemExample],
        confirmed: true,
        created: '2026-11-22T10:00:01.000Z',
      }),
    },
  ],
  errors: [],
  handle: async ({ reader }, { query, onlyProject }) => ({
    body: presentPage(await listRows(reader, { ...query, onlyProject }), present),
  }),
});
