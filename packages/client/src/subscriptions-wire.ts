/** Requests and answers about subscriptions, in the names of the HTTP API. A test proves each equal to the service's own type. */

export type SubscriptionStatus =
  'incomplete' | 'incomplete_expired' | 'trialing' | 'active' | 'past_due' | 'canceled' | 'unpaid' | 'paused';

type Priced = {
  /** Null: the price is not in the catalog. */
  price_id: string | null;
  stripe_price_id: string;
  product_id: string | null;
  /** Null: the price is metered. */
  quantity: number | null;
};

export type SubscriptionItem = Priced & {
  /** Stripe's. */
  item_id: string;
  current_period_start: string | null;
  current_period_end: string | null;
};

export type Subscription = {
  subscription_id: string;
  user_id: string;
  status: SubscriptionStatus;
  items: SubscriptionItem[];
  cancel_at: string | null;
  cancel_at_period_end: boolean;
  ended_at: string | null;
  trial_end: string | null;
  /** Null: its invoices are collected. */
  pause_collection: { behavior: string | null; resumes_at: string | null } | null;
  /** What it becomes by itself: all its items then. */
  pending_change: { effective_at: string; items: Priced[] } | null;
  /** A change, or the resumption of a paused one, waits until its invoice is paid. Without an end it waits for as long as Stripe tries. */
  pending_payment: { hosted_invoice_url: string | null; expires_at: string | null } | null;
  /** The user has an older live one with the same price, or of the same group. */
  is_duplicate: boolean;
  /** False: the service asks Stripe again within seconds. */
  confirmed: boolean;
  created: string;
};

export type SubscriptionList = { data: Subscription[]; next_cursor: string | null };

export type Cancellation = {
  /** `period_end`: it can be resumed until then. */
  at: 'period_end' | 'now';
  /** Becomes Stripe's cancellation comment. */
  reason?: string | undefined;
};

export type Pause = {
  /** What becomes of the invoices meanwhile. Default `void`: they are never collected. */
  behavior?: 'void' | 'keep_as_draft' | 'mark_uncollectible' | undefined;
  /** When it resumes by itself. */
  resumes_at?: string | undefined;
};

/** All that a subscription shall have of the project. */
export type WantedChange = {
  /** An equal price keeps its item, the next is exchanged in place, what is not named goes. */
  items: { price_id: string; quantity?: number | undefined }[];
  /** Default `auto`: up now, down at the end of the period. */
  effective?: 'auto' | 'now' | 'period_end' | undefined;
  /** Of a change that is made now. Default `invoice_now`. */
  proration?: 'invoice_now' | 'prorate' | 'none' | undefined;
};

export type SubscriptionChange = WantedChange & {
  /** Of a preview of the same change, at most ten minutes old: what is charged is what it showed. */
  preview_token?: string | undefined;
};

/** Amounts are in the smallest unit of the currency. */
export type ChangePreview = {
  due_now: number;
  /** What the change gives back, for later invoices. */
  credit: number;
  currency: string;
  lines: { description: string | null; amount: number; period: { start: string; end: string } }[];
  next_invoice: { at: string; amount: number } | null;
  effective_at: string;
  preview_token: string;
  expires_at: string;
};
