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
  PortalConfiguration,
  PortalSession,
  Price,
  Product,
  PromotionCode,
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
  HeldChange,
  IdempotentAnswer,
  MeterIdentifier,
  MeterReading,
  PriceTiers,
  Receipt,
  Settings,
} from './private-rows.ts';
import { createTable, type OnChange, type Row, type Table } from './table.ts';

/** The objects that the API lists. */
export type ObjectRows = {
  customers: Customer;
  products: Product;
  prices: Price;
  sessions: CheckoutSession;
  subscriptions: Subscription;
  schedules: SubscriptionSchedule;
  /** By customer. */
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
  promotionCodes: PromotionCode;
  portalConfigurations: PortalConfiguration;
  meters: Meter;
};
type OtherRows = {
  /** By customer. */
  invoiceItems: InvoiceItem;
  discounts: Discount;
  discountTerms: DiscountTerms;
  priceTiers: PriceTiers;
  tombstones: Tombstone;
  portalSessions: PortalSession;
  checkoutPlans: CheckoutPlan;
  subscriptionControls: DunningState;
  heldChanges: HeldChange;
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
    heldChanges: table('heldChanges'),
    schedules: table('schedules', 'subscription_schedule'),
    invoices: table('invoices', 'invoice', (row) => row.customer ?? ''),
    coupons: table('coupons', 'coupon'),
    promotionCodes: table('promotionCodes', 'promotion code'),
    portalConfigurations: table('portalConfigurations', 'configuration'),
    discounts: table('discounts', 'discount'),
    discountTerms: table('discountTerms'),
    priceTiers: table('priceTiers'),
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
    promo: tables.promotionCodes,
    bpc: tables.portalConfigurations,
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
  const any = named ?? tables.products.get(id) ?? tables.prices.get(id) ?? tables.coupons.get(id);
  return any ?? tables.discountTerms.all().find(({ coupon }) => coupon.id === id)?.coupon;
}
