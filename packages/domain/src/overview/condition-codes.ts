/** What may need somebody, the most urgent first. */
export const conditionCodes = [
  'queue_unreachable',
  'no_worker',
  'queue_waits',
  'events_failed',
  'sweep_late',
  'webhook_key_missing',
  'stripe_throttled',
  'events_quarantined',
  'events_not_seen',
  'drift_found',
  'runs_failed',
  'prices_unverified',
  'webhook_endpoints_given_up',
  'webhook_deliveries_wait',
] as const;
export type ConditionCode = (typeof conditionCodes)[number];
