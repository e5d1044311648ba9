const timestamp = '2026-11-22T10:00:00.000Z';

const told = { project_id: 'shop', user_id: 'user_1', version: 8, previous_version: 7 };

/** The message that says what a user may do from now on. */
export const changedMessageExample = {
  type: 'entitlements.changed',
  timestamp,
  data: {
    ...told,
    causes: ['stripe_event:evt_1'],
    changes: [{ feature_code: 'premium_export', change: 'added' }],
    entitlements: [
      {
        feature_code: 'premium_export',
        is_active: true,
        valid_from: '2026-11-22T10:00:00.000Z',
        valid_to: '2026-12-23T10:00:00.000Z',
        current_period_end: '2026-12-22T10:00:00.000Z',
        source: 'subscription',
        source_id: 'sub_123',
        status: 'active',
        quantity: 1,
        confirmed: true,
        kind: 'boolean',
      },
    ],
    as_of: '2026-11-22T10:00:00.000Z',
    valid_until: '2026-12-23T10:00:00.000Z',
  },
};

export const thinMessageExample = { type: 'entitlements.changed', timestamp, data: told };

export const catalogMessageExample = {
  type: 'catalog.changed',
  timestamp,
  data: { project_id: 'shop', version: 12 },
};

const crossing = {
  project_id: 'shop',
  user_id: 'user_1',
  feature_code: 'api_calls',
  used: 800,
  granted: 1_000,
  source: 'subscription',
  source_id: 'sub_123',
  period_start: '2026-11-22T10:00:00.000Z',
  period_end: '2026-12-22T10:00:00.000Z',
  usage_seq: 412,
};

export const thresholdMessageExample = {
  type: 'usage.threshold_reached',
  timestamp,
  data: { ...crossing, threshold: 80 },
};

export const limitMessageExample = {
  type: 'usage.limit_reached',
  timestamp,
  data: { ...crossing, used: 1_000, usage_seq: 530 },
};

export const pingMessageExample = {
  type: 'webhook.ping',
  timestamp,
  data: { project_id: 'shop', endpoint_id: 'whe_5b1e' },
};
