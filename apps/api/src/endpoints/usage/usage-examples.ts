export const bucketExample = {
  source: 'subscription',
  source_id: 'sub_1',
  period_start: '2026-11-01T00:00:00.000Z',
  period_end: '2026-12-01T00:00:00.000Z',
  granted: 1000,
  rolled_over: 0,
  used: 12,
  held: 0,
  remaining: 988,
};

export const balanceExample = {
  granted: 1000,
  used: 12,
  held: 0,
  remaining: 988,
  overage: 0,
  overage_limit: 0,
  unlimited: false,
  resets_at: '2026-12-01T00:00:00.000Z',
  next_expiry: { at: '2026-12-01T00:00:00.000Z', amount: 988 },
  buckets: [bucketExample],
};

export const checkExample = {
  user_id: 'user_1',
  project_id: 'shop',
  feature_code: 'api_calls',
  kind: 'metered',
  allowed: true,
  reason: 'within_allowance',
  required: 1,
  limit: null,
  value: null,
  balance: balanceExample,
  version: 7,
  usage_seq: 12,
  as_of: '2026-11-22T10:00:00.000Z',
  valid_until: '2026-12-01T00:00:00.000Z',
  checked_at: '2026-11-22T10:00:03.000Z',
};

export const usageExample = {
  event_id: 'req_1',
  recorded: true,
  duplicate: false,
  allowed: true,
  reason: 'within_allowance',
  quantity: 1,
  balance: balanceExample,
  usage_seq: 12,
};

export const reservationExample = {
  reservation_id: 'job_1',
  allowed: true,
  reason: 'within_allowance',
  state: 'held',
  quantity: 100,
  expires_at: '2026-11-22T10:05:00.000Z',
  late: false,
  balance: { ...balanceExample, held: 100, remaining: 888 },
  usage_seq: 13,
};
