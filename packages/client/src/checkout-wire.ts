/** Requests and answers of checkouts, in the names of the HTTP API. */

export type CheckoutItem = {
  /** The service's own price id, or Stripe's. */
  price_id: string;
  /** Default 1. Not of a metered price. */
  quantity?: number | undefined;
};

/** What a checkout may say, and a project may have a default for. */
export type CheckoutChoices = {
  /** The buyer may enter a code. Not with `promotion_code`. */
  allow_promotion_codes?: boolean | undefined;
  /** A promotion code, or Stripe's id of one. */
  promotion_code?: string | undefined;
  automatic_tax?: boolean | undefined;
  tax_id_collection?: boolean | undefined;
  /** Payments only. */
  invoice_creation?: boolean | undefined;
  billing_address_collection?: 'auto' | 'required' | undefined;
  /** Subscriptions only. */
  payment_method_collection?: 'always' | 'if_required' | undefined;
  /** Subscriptions only. */
  trial_days?: number | undefined;
  /** What becomes of a trial that ends without a payment method. */
  trial_without_card?: 'cancel' | 'pause' | 'create_invoice' | undefined;
  locale?: CheckoutLocale | undefined;
  /** The buyer may change the quantities. */
  adjustable_quantity?: { min: number; max: number } | undefined;
  ui_mode?: 'hosted' | 'embedded' | undefined;
  expires_in_seconds?: number | undefined;
};

export type CheckoutRequest = CheckoutChoices & {
  user_id: string;
  project_id?: string | undefined;
  /** The service's own price id, or Stripe's. Exactly one of `price_id` and `items`. */
  price_id?: string | undefined;
  /** Of `price_id`; default 1. */
  quantity?: number | undefined;
  /** Several prices at once, of each group one plan. */
  items?: CheckoutItem[] | undefined;
  mode: 'subscription' | 'payment';
  /** Required on a hosted page, as `cancel_url` is. */
  success_url?: string | undefined;
  cancel_url?: string | undefined;
  /** Required on an embedded page. */
  return_url?: string | undefined;
  email?: string | undefined;
  metadata?: Record<string, string> | undefined;
  /** RFC 3339, 48 hours to 730 days ahead. Not with `trial_days`. */
  trial_end?: string | undefined;
};

export type CheckoutResponse = {
  /** Null on an embedded page. */
  checkout_url: string | null;
  /** Of an embedded page only: what Stripe.js shows it with. */
  client_secret?: string | undefined;
  session_id: string;
  expires_at: string;
  /**
   * `possible_duplicate`: a buyer who typed this user's id has a live subscription to the same price or group. Ask the user,
   * and confirm it instead of selling twice.
   */
  warnings?: 'possible_duplicate'[] | undefined;
};

/** The languages of Stripe's page. */
export type CheckoutLocale =
  | 'auto'
  | 'bg'
  | 'cs'
  | 'da'
  | 'de'
  | 'el'
  | 'en'
  | 'en-GB'
  | 'es'
  | 'es-419'
  | 'et'
  | 'fi'
  | 'fil'
  | 'fr'
  | 'fr-CA'
  | 'hi-IN'
  | 'hr'
  | 'hu'
  | 'id'
  | 'it'
  | 'ja'
  | 'ko'
  | 'lt'
  | 'lv'
  | 'ms'
  | 'mt'
  | 'nb'
  | 'nl'
  | 'pl'
  | 'pt'
  | 'pt-BR'
  | 'ro'
  | 'ru'
  | 'sk'
  | 'sl'
  | 'sv'
  | 'th'
  | 'tr'
  | 'vi'
  | 'zh'
  | 'zh-HK'
  | 'zh-TW';
