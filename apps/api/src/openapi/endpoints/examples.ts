/** Examples that several descriptions use; a test checks every example against its schema. */

const createdAt = '2026-11-01T09:00:00.000Z';
const stamps = { created_at: createdAt, updated_at: '2026-11-20T09:00:00.000Z' };

export const entitlementsExample = {
  user_id: 'user_1',
  project_id: 'shop',
  entitlements: [
    {
      feature_code: 'premium_export',
      is_active: true,
      valid_from: '2026-11-01T00:00:00.000Z',
      valid_to: '2026-12-02T00:00:00.000Z',
      current_period_end: '2026-12-01T00:00:00.000Z',
      source: 'subscription',
      source_id: 'sub_123',
      status: 'active',
      quantity: 1,
      confirmed: true,
    },
  ],
  version: 7,
  as_of: '2026-11-22T10:00:00.000Z',
  valid_until: '2026-12-02T00:00:00.000Z',
  checked_at: '2026-11-22T10:00:03.000Z',
};

export const projectExample = {
  project_id: 'shop',
  name: 'Shop',
  description: null,
  is_active: true,
  policy: {
    past_due_grace_days: 7,
    unpaid: 'deny',
    paused: 'deny',
    incomplete: 'deny',
    pause_collection: 'allow',
    partial_refund_threshold: 1,
    dispute: 'hold',
  },
  redirect_origins: ['https://app.example.com'],
  ...stamps,
};

export const apiKeyExample = {
  key_id: 'key_4f1c9a',
  project_id: 'shop',
  name: 'Backend',
  prefix: 'proj_4Hf8Kq',
  scopes: ['read', 'checkout'],
  created_at: createdAt,
  expires_at: null,
  revoked_at: null,
  last_used_at: '2026-11-22T10:00:00.000Z',
};

export const productExample = {
  project_id: 'shop',
  product_id: 'premium',
  name: 'Premium',
  description: null,
  feature_codes: ['premium_export'],
  is_archived: false,
  ...stamps,
};

export const priceExample = {
  project_id: 'shop',
  price_id: 'premium_monthly',
  product_id: 'premium',
  stripe_price_id: 'price_123',
  amount: 1000,
  currency: 'usd',
  interval: 'month',
  access_days: null,
  is_archived: false,
  ...stamps,
};

export const eventExample = {
  event_id: 'evt_123',
  type: 'customer.subscription.updated',
  object_id: 'sub_123',
  status: 'applied',
  reason: null,
  created: '2026-11-22T10:00:00.000Z',
  received_at: '2026-11-22T10:00:00.120Z',
  processed_at: '2026-11-22T10:00:00.131Z',
  attempts: 1,
};

/** A page of a list that holds one row. */
export const listExample = (row: object) => ({ data: [row], next_cursor: null });
