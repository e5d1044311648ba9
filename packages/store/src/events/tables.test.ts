import { readFileSync } from 'node:fs';
import { noItemPrice, unknownPurchase, unknownSubscription } from '@billing/domain';
import type { PurchaseRow, SubscriptionRow } from '@billing/domain';
import { createTestDatabase } from '@billing/testing';
import { createDatabase } from '../create-database.ts';
import { readEventState } from './read-state.ts';
import {
  eventPayloadTable,
  eventTable,
  purchaseItemTable,
  purchaseTable,
  subscriptionItemTable,
  subscriptionTable,
} from './tables.ts';
import { writeOutcomes } from './write-outcomes.ts';

const schema = readFileSync(new URL('../../../../prisma/schema.prisma', import.meta.url), 'utf8');

const sqlTypes: Record<string, string> = {
  String: 'text',
  BigInt: 'bigint',
  Int: 'integer',
  Boolean: 'boolean',
  Json: 'jsonb',
  DateTime: 'timestamptz',
};

/** `name type` of every column of a table, as the schema has them; `?`: may be null. */
function columnsInSchema(table: string): string[] {
  const model = schema.split(/^model /m).find((one) => one.includes(`@@map("${table}")`)) ?? '';
  return [...model.matchAll(/^ {2}(\w+) +(\w+)(\[\])?(\?)?(.*)$/gm)].flatMap(
    ([, field, type = '', list = '', nullable = '', attributes = '']) => {
      const column = /@map\("(\w+)"\)/.exec(attributes)?.[1] ?? field;
      const sqlType = sqlTypes[type];
      return sqlType === undefined ? [] : [`${column} ${sqlType}${list}${nullable}`];
    },
  );
}

const writtenByDatabase = ['created_at timestamptz', 'updated_at timestamptz'];

test.each([
  {
    table: subscriptionTable,
    // Of the previous version.
    leftOut: [...writtenByDatabase, 'period_invoice_id text?', 'period_invoice_at timestamptz?'],
  },
  { table: subscriptionItemTable, leftOut: [] },
  { table: purchaseTable, leftOut: writtenByDatabase },
  { table: purchaseItemTable, leftOut: [] },
  // The payload is of the previous version.
  { table: eventTable, leftOut: ['attempts integer', 'payload jsonb?'] },
  { table: eventPayloadTable, leftOut: [] },
])('$table.name has the columns of the schema', ({ table, leftOut }) => {
  const defined = table.columns.map(({ name, type }) => `${name} ${type}`);
  expect([...defined, ...leftOut].sort()).toEqual(columnsInSchema(table.name).sort());
});

const at = Date.UTC(2026, 10, 22, 10, 0, 0, 123);

const subscription: SubscriptionRow = {
  ...unknownSubscription('sub_1'),
  customerId: 'cus_1',
  claims: { projectId: 'p', userId: 'ü"\\', userSource: 'metadata' },
  claimsAt: at,
  status: 'past_due',
  cancelAt: -1,
  cancelAtPeriodEnd: true,
  startDate: at - 2,
  latestInvoiceId: 'in_1',
  pastDueSeenAt: [at + 1, at + 2],
  pastDueSince: at + 1,
  recheckAttempts: 3,
  stripeCreatedAt: at - 3,
  pauseBehavior: 'void',
  pauseResumesAt: at + 3,
  schedule: { scheduleId: 'sub_sched_1', changes: [{ effectiveAt: at, items: [] }] },
  pendingPayment: { expiresAt: at, invoiceUrl: null },
  discounts: [{ discountId: 'di_1', itemId: null, end: at, coupon: null }],
  items: [
    {
      itemId: 'si_1',
      stripePriceId: 'price_1',
      quantity: 2,
      currentPeriodStart: at,
      currentPeriodEnd: null,
      firstPeriodStart: at - 1,
      ...noItemPrice,
    },
    {
      itemId: 'si_2',
      stripePriceId: 'price_1',
      quantity: 0,
      currentPeriodStart: null,
      currentPeriodEnd: at,
      firstPeriodStart: null,
      unitAmount: '0.000000000001',
      currency: 'usd',
      interval: 'week',
      intervalCount: 2,
      usageType: 'licensed',
      billedQuantity: 7,
      stripeProductId: 'prod_1',
    },
  ],
};
const purchase: PurchaseRow = {
  ...unknownPurchase('pi_1'),
  status: 'paid',
  paidAt: at,
  receiptId: 'in_1',
  subscriptionId: 'sub_1',
  amount: 9_007_199_254_740_991,
  isInvoiceless: true,
  record: { ...unknownPurchase('pi_1').record, lineItems: [{ stripePriceId: 'price_1', quantity: 1 }] },
  items: [{ stripePriceId: 'price_1', quantity: 1 }],
};

test('rows are read as they were written', async () => {
  const place = await createTestDatabase();
  const database = createDatabase({
    url: place.url,
    poolSize: 1,
    connectTimeoutMs: 5_000,
    statementTimeoutMs: 5_000,
  });
  const owner = { ref: null, projectId: 'p', userId: 'u', version: 0 };
  await database.project.create({ data: { id: 'p', name: 'p' } });
  await writeOutcomes(
    database,
    [
      { kind: 'subscription', row: subscription, hasNewItems: true, owner, bumps: [], events: [] },
      { kind: 'purchase', row: purchase, hasNewItems: true, owner: null, bumps: [], events: [] },
    ],
    { erasureMark: 0 },
  );
  const state = await readEventState(database, {
    eventIds: [],
    subscriptionIds: ['sub_1'],
    purchaseIds: ['pi_1'],
    customerIds: [],
    priceIds: [],
    userIds: [],
    projectIds: [],
  });
  expect(state.subscriptions.get('sub_1')).toEqual({
    row: { ...subscription, rowVersion: 1 },
    owners: { first: { ...owner, ref: expect.any(Number), version: 1 }, others: [] },
  });
  expect(state.purchases.get('pi_1')).toEqual({
    row: { ...purchase, rowVersion: 1 },
    owners: { first: null, others: [] },
  });
  await database.$disconnect();
  await place.drop();
});
