import type Stripe from 'stripe';

/**
 * The stripe package's types as they are on the wire: a decimal is a string, and an expandable field holds the id.
 * So the compiler checks our objects against the pinned API version.
 */
type Plain<T> = T extends string
  ? T
  : T extends Stripe.Decimal
    ? string
    : T extends readonly (infer Item)[]
      ? OnWire<Item>[]
      : T extends object
        ? { [Key in keyof T]: OnWire<T[Key]> }
        : T;
type OnWire<T> =
  string extends Extract<T, string>
    ? Extract<T, { id: string }> extends never
      ? Plain<T>
      : Exclude<T, object>
    : Plain<T>;

export type Account = Plain<Stripe.Account>;
export type BalanceTransaction = Plain<Stripe.CustomerBalanceTransaction>;
export type Charge = Plain<Stripe.Charge>;
export type CheckoutSession = Plain<Stripe.Checkout.Session>;
export type Coupon = Plain<Stripe.Coupon>;
export type Customer = Plain<Stripe.Customer>;
export type Discount = Plain<Stripe.Discount>;
export type Dispute = Plain<Stripe.Dispute>;
export type Invoice = Plain<Stripe.Invoice>;
export type InvoiceItem = Plain<Stripe.InvoiceItem>;
export type InvoiceLine = Plain<Stripe.InvoiceLineItem>;
export type InvoicePayment = Plain<Stripe.InvoicePayment>;
export type LineItem = Plain<Stripe.LineItem>;
export type PaymentIntent = Plain<Stripe.PaymentIntent>;
export type PaymentMethod = Plain<Stripe.PaymentMethod>;
export type Plan = Plain<Stripe.Plan>;
export type PortalConfiguration = Plain<Stripe.BillingPortal.Configuration>;
export type PortalSession = Plain<Stripe.BillingPortal.Session>;
export type Price = Plain<Stripe.Price>;
export type Product = Plain<Stripe.Product>;
export type PromotionCode = Plain<Stripe.PromotionCode>;
export type Refund = Plain<Stripe.Refund>;
export type Subscription = Plain<Stripe.Subscription>;
export type SubscriptionItem = Plain<Stripe.SubscriptionItem>;
export type SubscriptionSchedule = Plain<Stripe.SubscriptionSchedule>;
export type SchedulePhase = SubscriptionSchedule['phases'][number];
export type Meter = Plain<Stripe.Billing.Meter>;
export type MeterEvent = Plain<Stripe.Billing.MeterEvent>;
export type MeterEventSummary = Plain<Stripe.Billing.MeterEventSummary>;
export type Metadata = Record<string, string>;

/** What `/v1/events` lists and webhooks carry; `data.object` is the immutable row of that moment. */
export type StoredEvent = {
  id: string;
  object: 'event';
  api_version: string;
  created: number;
  data: { object: object; previous_attributes?: Record<string, unknown> };
  livemode: false;
  pending_webhooks: number;
  request: { id: string | null; idempotency_key: string | null };
  type: string;
};

export type Tombstone = {
  id: string;
  object: 'customer' | 'product' | 'price';
  deleted: true;
};

/** The API version that stripe-node 23.1 pins. */
export const apiVersion = '2026-10-28.endive';
