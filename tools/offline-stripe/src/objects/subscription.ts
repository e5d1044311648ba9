import { newId } from '../ids.ts';
import type { Metadata, Price, Subscription, SubscriptionItem } from '../stripe-objects.ts';
import { isMetered, planOf } from './catalog.ts';

export function itemObject(fields: {
  subscription: string;
  price: Price;
  quantity: number;
  created: number;
  period: { start: number; end: number };
  metadata?: Metadata;
}): SubscriptionItem {
  return {
    id: newId('si'),
    object: 'subscription_item',
    billing_thresholds: null,
    created: fields.created,
    current_period_end: fields.period.end,
    current_period_start: fields.period.start,
    current_trial: null,
    discounts: [],
    metadata: fields.metadata ?? {},
    plan: planOf(fields.price),
    price: fields.price,
    ...(isMetered(fields.price) ? {} : { quantity: fields.quantity }),
    subscription: fields.subscription,
    tax_rates: [],
  };
}

export function itemList(subscription: string, items: SubscriptionItem[]): Subscription['items'] {
  return {
    object: 'list',
    data: items,
    has_more: false,
    url: `/v1/subscription_items?subscription=${subscription}`,
  };
}

export type NewSubscription = {
  id: string;
  created: number;
  customer: string;
  currency: string;
  items: SubscriptionItem[];
  status: Subscription['status'];
  paymentMethod: string | null;
  trial: { start: number; end: number } | null;
  missingPaymentMethod: 'cancel' | 'create_invoice' | 'pause';
  collectionMethod: 'charge_automatically' | 'send_invoice';
  daysUntilDue?: number | null;
  latestInvoice: string | null;
  hasAutomaticTax?: boolean;
  metadata: Metadata;
  description: string | null;
};

function automaticTax(enabled: boolean): Subscription['automatic_tax'] {
  return { disabled_reason: null, enabled, liability: enabled ? { type: 'self' } : null };
}

export function subscriptionObject(fields: NewSubscription): Subscription {
  return {
    id: fields.id,
    object: 'subscription',
    application: null,
    application_fee_percent: null,
    automatic_tax: automaticTax(fields.hasAutomaticTax ?? false),
    billing_cycle_anchor: fields.trial?.end ?? fields.created,
    billing_cycle_anchor_config: null,
    billing_mode: { flexible: { proration_discounts: 'included' }, type: 'flexible' },
    billing_schedules: [],
    billing_thresholds: null,
    cancel_at: null,
    cancel_at_period_end: false,
    canceled_at: null,
    cancellation_details: { comment: null, feedback: null, feedback_option: null, reason: null },
    collection_method: fields.collectionMethod,
    created: fields.created,
    currency: fields.currency,
    customer: fields.customer,
    customer_account: null,
    days_until_due: fields.collectionMethod === 'send_invoice' ? (fields.daysUntilDue ?? 30) : null,
    default_payment_method: fields.paymentMethod,
    default_source: null,
    default_tax_rates: [],
    description: fields.description,
    discounts: [],
    ended_at: null,
    invoice_settings: {
      account_tax_ids: null,
      custom_fields: null,
      description: null,
      footer: null,
      issuer: { type: 'self' },
    },
    items: itemList(fields.id, fields.items),
    latest_invoice: fields.latestInvoice,
    livemode: false,
    managed_payments: null,
    metadata: fields.metadata,
    next_pending_invoice_item_invoice: null,
    on_behalf_of: null,
    pause_collection: null,
    payment_settings: {
      payment_method_options: null,
      payment_method_types: null,
      save_default_payment_method: 'off',
    },
    pending_invoice_item_interval: null,
    pending_setup_intent: null,
    pending_update: null,
    schedule: null,
    start_date: fields.created,
    status: fields.status,
    test_clock: null,
    transfer_data: null,
    trial_end: fields.trial?.end ?? null,
    trial_settings: {
      end_behavior: { billing_cycle_anchor: null, missing_payment_method: fields.missingPaymentMethod },
    },
    trial_start: fields.trial?.start ?? null,
  };
}
