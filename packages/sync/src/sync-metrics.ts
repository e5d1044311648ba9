import type { Metrics } from '@billing/platform';

export type SyncMetrics = ReturnType<typeof createSyncMetrics>;

/** What only the worker counts. */
export function createSyncMetrics({ counter, gauge }: Pick<Metrics, 'counter' | 'gauge'>) {
  return {
    identityConflicts: counter(
      'identity_conflicts_total',
      'Objects whose metadata names another owner than the customer mapping',
    ),
    missingInStripe: counter('stripe_objects_missing_total', 'Reads that Stripe answered with 404', ['kind']),
    readsRefused: counter(
      'stripe_reads_deferred_total',
      'Reads put off: budget spent or Stripe out of reach',
      ['reason'],
    ),
    apiVersions: counter(
      'webhook_events_api_version_total',
      'Events by the API version they are rendered in',
      ['version'],
    ),
    sweepFound: counter(
      'event_sweep_found_total',
      'Events that only the sweep of the event list of Stripe brought in',
    ),
    eventsDeleted: counter(
      'ledger_events_forgotten_total',
      'Settled events that the ledger kept for EVENT_RETENTION_DAYS and then deleted',
    ),
    sweepSuccess: gauge(
      'event_sweep_last_success_timestamp_seconds',
      'When a sweep last came to the end of the event list',
    ),
  };
}
