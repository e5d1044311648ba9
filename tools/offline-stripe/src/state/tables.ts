import type {
  Charge,
  CheckoutSession,
  Customer,
  Dispute,
  Invoice,
  InvoicePayment,
  PaymentIntent,
  PaymentMethod,
  PortalSession,
  Price,
  Product,
  Refund,
  StoredEvent,
  Subscription,
  SubscriptionSchedule,
  Tombstone,
} from '../stripe-objects.ts';
import type {
  CheckoutPlan,
  Delivery,
  IdempotentAnswer,
  Receipt,
  Settings,
  SubscriptionControl,
} from './private-rows.ts';
import { createTable, type OnChange, type Table } from './table.ts';

export interface Tables {
  customers: Table<Customer>;
  tombstones: Table<Tombstone>;
  products: Table<Product>;
  prices: Table<Price>;
  paymentMethods: Table<PaymentMethod>;
  sessions: Table<CheckoutSession>;
  checkoutPlans: Table<CheckoutPlan>;
  portalSessions: Table<PortalSession>;
  subscriptions: Table<Subscription>;
  subscriptionControls: Table<SubscriptionControl>;
  schedules: Table<SubscriptionSchedule>;
  invoices: Table<Invoice>;
  invoicePayments: Table<InvoicePayment>;
  paymentIntents: Table<PaymentIntent>;
  charges: Table<Charge>;
  refunds: Table<Refund>;
  disputes: Table<Dispute>;
  events: Table<StoredEvent>;
  deliveries: Table<Delivery>;
  receipts: Table<Receipt>;
  idempotentAnswers: Table<IdempotentAnswer>;
  settings: Table<Settings>;
}

export function createTables(onChange: OnChange): Tables {
  return {
    customers: createTable('customers', onChange),
    tombstones: createTable('tombstones', onChange),
    products: createTable('products', onChange),
    prices: createTable('prices', onChange),
    paymentMethods: createTable('paymentMethods', onChange),
    sessions: createTable('sessions', onChange),
    checkoutPlans: createTable('checkoutPlans', onChange),
    portalSessions: createTable('portalSessions', onChange),
    subscriptions: createTable('subscriptions', onChange),
    subscriptionControls: createTable('subscriptionControls', onChange),
    schedules: createTable('schedules', onChange),
    invoices: createTable('invoices', onChange),
    invoicePayments: createTable('invoicePayments', onChange, (row) => row.invoice),
    paymentIntents: createTable('paymentIntents', onChange),
    charges: createTable('charges', onChange),
    refunds: createTable('refunds', onChange),
    disputes: createTable('disputes', onChange),
    events: createTable('events', onChange),
    deliveries: createTable('deliveries', onChange),
    receipts: createTable('receipts', onChange),
    idempotentAnswers: createTable('idempotentAnswers', onChange),
    settings: createTable('settings', onChange),
  };
}

/** Where an object that is known by its id alone lives. */
export function findById(tables: Tables, id: string): object | undefined {
  const byPrefix: Record<string, { get(id: string): object | undefined }> = {
    cus: tables.customers,
    prod: tables.products,
    price: tables.prices,
    pm: tables.paymentMethods,
    cs: tables.sessions,
    sub: id.startsWith('sub_sched_') ? tables.schedules : tables.subscriptions,
    in: tables.invoices,
    inpay: tables.invoicePayments,
    pi: tables.paymentIntents,
    ch: tables.charges,
    re: tables.refunds,
    dp: tables.disputes,
    evt: tables.events,
  };
  const prefix = id.slice(0, Math.max(0, id.indexOf('_')));
  const named = byPrefix[prefix]?.get(id) ?? tables.tombstones.get(id);
  // Products and prices may have been given ids of their own.
  return named ?? tables.products.get(id) ?? tables.prices.get(id);
}
