import type { Entitlement, EntitlementsResponse } from './wire.ts';

export const entitlement = (fields: Partial<Entitlement> = {}): Entitlement => ({
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
  ...fields,
});

export const answer = (fields: Partial<EntitlementsResponse> = {}): EntitlementsResponse => ({
  user_id: 'user_1',
  project_id: 'test-project',
  entitlements: [entitlement()],
  version: 7,
  as_of: '2026-11-22T10:00:00.000Z',
  valid_until: null,
  checked_at: '2026-11-22T10:00:03.000Z',
  ...fields,
});
