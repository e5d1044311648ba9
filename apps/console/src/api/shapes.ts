import type { EventOut, FieldChange } from '@billing/domain';

/** Answers of reads that the console is built on, as it uses them. */
type OwnerSource = 'assignment' | 'mapping' | 'metadata' | 'buyer_hint';

export type TimelineEntryOut = {
  at: string;
  kind: 'stripe_event' | 'grant' | 'usage' | 'webhook' | 'audit';
  id: string;
  action: string;
  subject: string | null;
  status: string | null;
  reason: string | null;
  actor: string | null;
  quantity: number | null;
};

export type EventDetailOut = EventOut & {
  customer_id: string | null;
  project_id: string | null;
  awaits: string | null;
  api_version: string | null;
  payload: Record<string, unknown> | null;
  previous_event_id: string | null;
  changes: FieldChange[] | null;
  objects: {
    kind: 'subscription' | 'purchase';
    id: string;
    is_newest: boolean;
    project_id: string | null;
    user_id: string | null;
  }[];
};

type Owned = {
  project_id: string | null;
  user_id: string | null;
  owner_source: OwnerSource | null;
  stripe_customer_id: string | null;
};
type SoldItem = { stripe_price_id: string; product_id: string | null; quantity: number };

export type SoldSubscriptionOut = Owned & {
  subscription_id: string;
  status: string | null;
  cancel_at: string | null;
  cancel_at_period_end: boolean;
  ended_at: string | null;
  trial_end: string | null;
  started_at: string | null;
  items: (SoldItem & { current_period_end: string | null })[];
};

export type SoldPurchaseOut = Owned & {
  purchase_id: string;
  status: string;
  amount: number | null;
  amount_refunded: number;
  currency: string | null;
  paid_at: string | null;
  dispute_status: string | null;
  items: SoldItem[];
};

export type RevenueDayOut = {
  day: string;
  mrr: { currency: string; amount: number }[];
  active_subscriptions: number;
  trialing_subscriptions: number;
  new_subscriptions: number;
  lost_subscriptions: number;
};
export type RevenueDaysOut = { project_id: string; data: RevenueDayOut[] };

export type TopUsersOut = {
  users: number;
  quantity: number;
  data: { user_id: string; quantity: number; overage: number }[];
};
