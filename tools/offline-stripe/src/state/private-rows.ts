import type { Coupon, LineItem, Metadata, PaymentIntent, Price, Subscription } from '../stripe-objects.ts';

/** Coupon and promotion code by their ids. */
export type SessionDiscount = { coupon: string; promotion_code: string | null };

/** What a checkout session remembers besides the object that Stripe shows. */
export type CheckoutPlan = {
  id: string;
  line_items: LineItem[];
  subscription_metadata: Metadata;
  payment_intent_metadata: Metadata;
  description: string | null;
  trial_end: number | null;
  trial_days: number | null;
  missing_payment_method: 'cancel' | 'create_invoice' | 'pause';
  collects_payment_method: boolean;
  /** Their discounts are made when the session is paid. */
  discounts?: SessionDiscount[];
  /** What the payer's data on the page changes of a customer who was there before. */
  customer_update?: { address: boolean; name: boolean };
  /** What its PaymentIntent is made with, in payment mode. */
  payment?: {
    capture_method?: PaymentIntent['capture_method'];
    receipt_email?: string | null;
    setup_future_usage?: PaymentIntent['setup_future_usage'];
    shipping?: PaymentIntent['shipping'];
    statement_descriptor?: string | null;
  };
  /** Offered besides; the payer adds them. */
  optional_lines?: LineItem[];
};

/** The tiers of a price (by its id), which it shows only where `expand` names them. */
export type PriceTiers = { id: string; tiers: NonNullable<Price['tiers']> };

/** The coupon that a discount (by its id) was made with: it may be deleted later. */
export type DiscountTerms = { id: string; coupon: Coupon };

/** Retries of a subscription's failed payments, by its id; set in part by controls. */
export type DunningState = {
  id: string;
  /** Automatic attempts that are still to fail. */
  failures_left: number;
  after_last_retry: 'cancel' | 'unpaid' | 'past_due';
  retries_done: number;
  next_retry_at: number | null;
  trial_will_end_sent: boolean;
};

/** What a subscription (by its id) becomes once an invoice is paid: a pending update, or the end of a pause. */
export type HeldChange = {
  id: string;
  /** `attempted_resumption`: made by an attempt to pay, whether that succeeds or not. */
  kind: 'update' | 'resumption' | 'attempted_resumption';
  invoice: string;
  /** When the invoice is voided and the change forgotten. */
  expires_at: number;
  change: Partial<Subscription>;
};

/** An event to be delivered to the webhook receiver. Times are real, in milliseconds. */
export type Delivery = {
  id: string;
  event_id: string;
  attempts: number;
  first_attempt_at_ms: number;
  next_attempt_at_ms: number;
};

/** What a meter counted: `value` of a customer at a moment. */
export type MeterReading = {
  id: string;
  event_name: string;
  customer: string;
  value: number;
  timestamp: number;
};

/** What a meter counts of one customer. */
export const meterKey = ({
  event_name: name,
  customer,
}: Pick<MeterReading, 'event_name' | 'customer'>): string => `${name} ${customer}`;

/** When a meter event's identifier (its id here) was last accepted. */
export type MeterIdentifier = { id: string; at: number };

/** Marks an event (by its id) that the receiver has answered with 2xx. */
export type Receipt = { id: string };

/** What an Idempotency-Key was answered with. */
export type IdempotentAnswer = {
  id: string;
  fingerprint: string;
  status: number;
  body: string;
  request_id: string;
  at_ms: number;
};

export type Settings = {
  id: 'settings';
  clock_offset_seconds: number;
  webhooks_enabled: boolean;
  /** The share of events whose delivery is lost, 0 to 1. */
  webhook_drop_ratio: number;
};
