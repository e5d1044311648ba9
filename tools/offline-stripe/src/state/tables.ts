import { z } from 'zod';

import { noSuch } from '../errors.ts';
import type {
  BalanceTransaction,
  Charge,
  CheckoutSession,
  Coupon,
  Customer,
  Discount,
  Dispute,
  Invoice,
  InvoiceItem,
  InvoicePayment,
  Meter,
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
import { meterKey } from './private-rows.ts';
import type {
  CheckoutPlan,
  Delivery,
  DiscountTerms,
  DunningState,
  IdempotentAnswer,
  MeterIdentifier,
  MeterReading,
  Receipt,
  Settings,
} from './private-rows.ts';

type Row = { id: string };

/** A field that is absent or undefined keeps its value. */
export type Patch<T> = { [Field in keyof T]?: T[Field] | undefined };

/** Rows are immutable: a change replaces the row, so an event keeps the row it was made with as its snapshot. */
export type Table<T extends Row> = {
  readonly name: string;
  get(id: string): T | undefined;
  /** Throws Stripe's `resource_missing`; `param` names the parameter that refers to the object, `id` the path. */
  require(id: string, param?: string): T;
  insert(row: T): T;
  update(row: T, patch: Patch<T>): T;
  remove(id: string): void;
  /** Oldest first, as inserted. */
  all(): T[];
  /** The same without a copy, for a loop that may stop early. */
  each(): Iterable<T>;
  /** The rows with this value of the table's index, oldest first; none where the table has no index. */
  by(key: string): T[];
  /** Newest first, as Stripe lists. */
  newestFirst(): T[];
  size(): number;
  /** Inserts a row from the journal. */
  load(saved: object): void;
};

export type OnChange = (table: string, id: string, row: object | null) => void;

/** Cheap on purpose: it runs for every row of the journal, which only this program writes. */
export function isRow(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'id' in value && typeof value.id === 'string';
}

type TableOptions<T> = {
  name: string;
  /** What Stripe's errors call a row. */
  noun?: string | undefined;
  /** A value that never changes during a row's life, e.g. the invoice of a payment. */
  indexOf?: ((row: T) => string) | undefined;
};

function createTable<T extends Row>(
  onChange: OnChange,
  { name, noun = name, indexOf }: TableOptions<T>,
): Table<T> {
  const index = new Map<string, Set<string>>();
  const rows = new Map<string, T>();
  const own = z.custom<T>(isRow);
  function put(row: T): T {
    rows.set(row.id, row);
    const key = indexOf?.(row);
    if (key !== undefined) index.set(key, (index.get(key) ?? new Set()).add(row.id));
    onChange(name, row.id, row);
    return row;
  }
  return {
    name,
    get: (id) => rows.get(id),
    require: (id, param) => {
      const row = rows.get(id);
      if (row === undefined) throw noSuch(noun, id, param);
      return row;
    },
    insert: put,
    update: (row, patch) => {
      const given = Object.entries<unknown>(patch).filter(([, value]) => value !== undefined);
      return put(own.parse({ ...(rows.get(row.id) ?? row), ...Object.fromEntries(given) }));
    },
    remove: (id) => {
      rows.delete(id);
      onChange(name, id, null);
    },
    all: () => [...rows.values()],
    each: () => rows.values(),
    by: (key) => [...(index.get(key) ?? [])].flatMap((id) => rows.get(id) ?? []),
    newestFirst: () => [...rows.values()].reverse(),
    size: () => rows.size,
    load: (saved) => {
      put(own.parse(saved));
    },
  };
}

/** The objects that the API lists. */
export type ObjectRows = {
  customers: Customer;
  products: Product;
  prices: Price;
  sessions: CheckoutSession;
  subscriptions: Subscription;
  schedules: SubscriptionSchedule;
  invoices: Invoice;
  /** By invoice. */
  invoicePayments: InvoicePayment;
  paymentIntents: PaymentIntent;
  charges: Charge;
  refunds: Refund;
  disputes: Dispute;
  events: StoredEvent;
  paymentMethods: PaymentMethod;
  /** By customer. */
  balanceTransactions: BalanceTransaction;
  coupons: Coupon;
  meters: Meter;
};
type OtherRows = {
  /** By customer. */
  invoiceItems: InvoiceItem;
  discounts: Discount;
  discountTerms: DiscountTerms;
  tombstones: Tombstone;
  portalSessions: PortalSession;
  checkoutPlans: CheckoutPlan;
  subscriptionControls: DunningState;
  deliveries: Delivery;
  receipts: Receipt;
  idempotentAnswers: IdempotentAnswer;
  /** By meter and customer (`meterKey`). */
  meterReadings: MeterReading;
  meterIdentifiers: MeterIdentifier;
  settings: Settings;
};

export type ObjectTables = { [Name in keyof ObjectRows]: Table<ObjectRows[Name]> };
export type Tables = ObjectTables & { [Name in keyof OtherRows]: Table<OtherRows[Name]> };

export function createTables(onChange: OnChange): Tables {
  const table = <T extends Row>(name: string, noun?: string, indexOf?: (row: T) => string): Table<T> =>
    createTable(onChange, { name, noun, indexOf });
  return {
    customers: table('customers', 'customer'),
    tombstones: table('tombstones'),
    products: table('products', 'product'),
    prices: table('prices', 'price'),
    paymentMethods: table('paymentMethods', 'PaymentMethod'),
    sessions: table('sessions', 'checkout.session'),
    checkoutPlans: table('checkoutPlans'),
    portalSessions: table('portalSessions'),
    subscriptions: table('subscriptions', 'subscription'),
    subscriptionControls: table('subscriptionControls'),
    schedules: table('schedules', 'subscription_schedule'),
    invoices: table('invoices', 'invoice'),
    coupons: table('coupons', 'coupon'),
    discounts: table('discounts', 'discount'),
    discountTerms: table('discountTerms'),
    invoiceItems: table('invoiceItems', 'invoiceitem', (row) => row.customer),
    balanceTransactions: table('balanceTransactions', 'customer_balance_transaction', (row) => row.customer),
    invoicePayments: table('invoicePayments', 'invoice_payment', (row) => row.invoice),
    paymentIntents: table('paymentIntents', 'payment_intent'),
    charges: table('charges', 'charge'),
    refunds: table('refunds', 'refund'),
    disputes: table('disputes', 'dispute'),
    events: table('events', 'event'),
    deliveries: table('deliveries'),
    receipts: table('receipts'),
    idempotentAnswers: table('idempotentAnswers'),
    meters: table('meters', 'billing.meter'),
    meterReadings: table('meterReadings', undefined, (row) => meterKey(row)),
    meterIdentifiers: table('meterIdentifiers'),
    settings: table('settings'),
  };
}

/** Finds an object of any table by its id. */
export function findById(tables: Tables, id: string): object | undefined {
  const byPrefix: Record<string, { get(id: string): object | undefined }> = {
    cus: tables.customers,
    prod: tables.products,
    price: tables.prices,
    pm: tables.paymentMethods,
    cs: tables.sessions,
    sub: id.startsWith('sub_sched_') ? tables.schedules : tables.subscriptions,
    in: tables.invoices,
    di: tables.discounts,
    ii: tables.invoiceItems,
    cbtxn: tables.balanceTransactions,
    inpay: tables.invoicePayments,
    pi: tables.paymentIntents,
    ch: tables.charges,
    re: tables.refunds,
    dp: tables.disputes,
    mtr: tables.meters,
    evt: tables.events,
  };
  const prefix = id.slice(0, Math.max(0, id.indexOf('_')));
  const named = byPrefix[prefix]?.get(id) ?? tables.tombstones.get(id);
  // Products, prices and coupons may have been created with ids of any form.
  return named ?? tables.products.get(id) ?? tables.prices.get(id) ?? tables.coupons.get(id);
}
