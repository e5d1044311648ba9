import type { Metrics } from '@billing/platform';

type Counter = { inc: (by?: number) => void };
type LabeledCounter<Label extends string> = { inc: (labels: Record<Label, string>) => void };

/** Counted by whoever looks objects up at Stripe and writes them. */
export type LookupMetrics = {
  identityConflicts: Counter;
  missingInStripe: LabeledCounter<'kind'>;
  readsRefused: LabeledCounter<'reason'>;
};

/** Metrics that only this package counts. */
export type SyncMetrics = LookupMetrics & {
  apiVersions: LabeledCounter<'version'>;
  sweepFound: Counter;
  eventsDeleted: Counter;
  payloadMonthsAhead: { set: (value: number) => void };
  sweepSuccess: { set: (value: number) => void };
  pricesUnverified: { set: (labels: { reason: string }, value: number) => void };
  unseenEvents: { set: (value: number) => void };
  duplicateSubscriptions: { set: (value: number) => void };
  erasures: LabeledCounter<'outcome'>;
  queuedUsage: LabeledCounter<'outcome'>;
  usageWeeksAhead: { set: (value: number) => void };
  meterReports: LabeledCounter<'outcome'>;
  meterLag: { set: (value: number) => void };
  webhookMessages: LabeledCounter<'type'>;
};

export const createLookupMetrics = ({ counter }: Pick<Metrics, 'counter'>): LookupMetrics => ({
  identityConflicts: counter(
    'identity_conflicts_total',
    'Objects whose metadata names another owner than the customer mapping',
  ),
  missingInStripe: counter('stripe_objects_missing_total', 'Reads that Stripe answered with 404', ['kind']),
  readsRefused: counter('stripe_reads_deferred_total', 'Reads put off: budget spent or Stripe out of reach', [
    'reason',
  ]),
});

export const createSyncMetrics = ({ counter, gauge }: Pick<Metrics, 'counter' | 'gauge'>): SyncMetrics => ({
  ...createLookupMetrics({ counter }),
  apiVersions: counter('webhook_events_api_version_total', 'Events by the API version they are rendered in', [
    'version',
  ]),
  sweepFound: counter(
    'event_sweep_found_total',
    'Events that only the sweep of the event list of Stripe brought in',
  ),
  eventsDeleted: counter(
    'ledger_events_forgotten_total',
    'Finished events that the ledger kept for EVENT_RETENTION_DAYS and then deleted',
  ),
  payloadMonthsAhead: gauge(
    'ledger_payload_months_ahead',
    'Months after the present one whose payloads of events have a place; -1: not even the present one',
  ),
  sweepSuccess: gauge(
    'event_sweep_last_success_timestamp_seconds',
    'When a sweep last came to the end of the event list',
  ),
  pricesUnverified: gauge(
    'catalog_prices_unverified',
    'Prices of the catalog that Stripe was not asked for yet (waiting), has otherwise (differs) or does not have (missing)',
    ['reason'],
  ),
  erasures: counter('erasures_total', 'Erasures of users that were done, or failed', ['outcome']),
  queuedUsage: counter('usage_queued_total', 'Queued usage that was applied, or refused', ['outcome']),
  usageWeeksAhead: gauge(
    'usage_partitions_ahead',
    'Weeks after the present one whose events of usage have a place',
  ),
  meterReports: counter(
    'stripe_meter_reports_total',
    'Reports of usage to meters of Stripe: delivered, duplicate and found (Stripe had it), or why not',
    ['outcome'],
  ),
  meterLag: gauge(
    'stripe_meter_report_lag_seconds',
    'How long the oldest usage is due that its Stripe meter was not told of; 0: none is',
  ),
  webhookMessages: counter('webhook_messages_total', 'Messages made to tell products of changes', ['type']),
  duplicateSubscriptions: gauge(
    'duplicate_subscriptions',
    'Live subscriptions to a price or group of plans of which their user has an older one',
  ),
  unseenEvents: gauge(
    'stripe_events_not_seen_seconds',
    'Length of the time whose events Stripe lists no more and no sweep read, until a reconcile covers it',
  ),
});
