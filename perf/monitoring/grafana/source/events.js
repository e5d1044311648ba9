import { dashboard, figure, graph } from './panels.js';
import { toProducts } from './to-products.js';

const lag = 'service:webhook_processing_seconds';
const lagLimitSeconds = 2;

/** The way of an event (received, queued, applied), requests to Stripe and reconciliation. */
export const events = dashboard({
  uid: 'billing-events',
  title: 'Billing: events',
  description: 'Webhooks, the queue, the outcome of events, requests to Stripe and reconciliation.',
  rows: [
    [
      'Queue',
      [
        figure('Oldest waiting job', 'max(queue:bullmq_oldest_waiting_seconds:max)', {
          unit: 's',
          limit: 60,
        }),
        figure('Jobs waiting', 'sum(queue:bullmq_queue_jobs:waiting)', { limit: 1000 }),
        figure(
          'Quarantined (24 h)',
          'sum(increase(webhook_events_processed_total{outcome="quarantined"}[1d])) or vector(0)',
          {
            limit: 1,
            decimals: 0,
          },
        ),
        figure(
          'Failed (24 h)',
          'sum(increase(webhook_events_processed_total{outcome="failed"}[1d])) or vector(0)',
          {
            limit: 1,
            decimals: 0,
          },
        ),
        figure('Drift (24 h)', 'sum(increase(reconcile_drift_total[1d])) or vector(0)', {
          limit: 1,
          decimals: 0,
        }),
        figure(
          "Queue's Redis may evict",
          'count(queue_redis_info{eviction_policy!="noeviction"}) or vector(0)',
          {
            limit: 1,
          },
        ),
        graph('Jobs by state', [['max by (queue, state) (bullmq_queue_jobs)', '{{queue}} {{state}}']]),
        graph('Age of the oldest waiting job', [['queue:bullmq_oldest_waiting_seconds:max', '{{queue}}']], {
          unit: 's',
          limit: 60,
        }),
      ],
    ],
    [
      'Webhooks',
      [
        graph(
          'Received by outcome',
          [['sum by (outcome) (rate(webhook_events_received_total[$__rate_interval]))', '{{outcome}}']],
          { unit: 'reqps', isStacked: true },
        ),
        graph(
          'Received by type',
          [['sum by (type) (rate(webhook_events_received_total[$__rate_interval]))', '{{type}}']],
          { unit: 'reqps', isStacked: true },
        ),
        graph(
          'Processed by outcome',
          [['sum by (outcome) (rate(webhook_events_processed_total[$__rate_interval]))', '{{outcome}}']],
          { unit: 'ops', isStacked: true },
        ),
        graph(
          'Processed by type',
          [['sum by (type) (rate(webhook_events_processed_total[$__rate_interval]))', '{{type}}']],
          { unit: 'ops', isStacked: true },
        ),
        graph(
          'From accepted to applied',
          [
            [`${lag}:p50_5m`, 'p50'],
            [`${lag}:p95_5m`, 'p95'],
            [`${lag}:p99_5m`, 'p99'],
          ],
          { unit: 's', limit: lagLimitSeconds },
        ),
        graph(
          'Signature failures by reason',
          [['sum by (reason) (rate(webhook_signature_failures_total[$__rate_interval]))', '{{reason}}']],
          {
            unit: 'reqps',
            description: '`timestamp`: the clocks of sender and receiver differ by more than five minutes.',
          },
        ),
      ],
    ],
    [
      'Stripe',
      [
        graph(
          'Requests by outcome',
          [
            [
              'sum by (outcome) (rate(stripe_request_duration_seconds_count[$__rate_interval]))',
              '{{outcome}}',
            ],
          ],
          { unit: 'reqps', isStacked: true, width: 8 },
        ),
        graph(
          'Requests by operation',
          [
            [
              'sum by (operation) (rate(stripe_request_duration_seconds_count[$__rate_interval]))',
              '{{operation}}',
            ],
          ],
          { unit: 'reqps', isStacked: true, width: 8 },
        ),
        graph('p95 by operation', [['operation:stripe_request_duration_seconds:p95_5m', '{{operation}}']], {
          unit: 's',
          width: 8,
        }),
        graph(
          'Refused for lack of a permission',
          [
            [
              'sum by (operation) (increase(stripe_permission_denied_total[$__rate_interval]))',
              '{{operation}}',
            ],
            ['max(stripe_permissions_missing)', 'operations refused now'],
          ],
          { width: 24 },
        ),
      ],
    ],
    toProducts,
    [
      'Reconciliation',
      [
        graph('Differences found', [['sum by (kind) (increase(reconcile_drift_total[1h]))', '{{kind}}']], {
          description:
            'Differences from Stripe per hour. Each one but those of prices was repaired; find out where it came from.',
        }),
        graph('Prices not verified', [['max by (reason) (catalog_prices_unverified)', '{{reason}}']], {
          description:
            'Prices of the catalog that Stripe was not asked for yet, has otherwise, or does not have.',
        }),
        graph('Duplicate subscriptions', [['max(duplicate_subscriptions)', 'duplicates']], {
          width: 12,
          description:
            'Live subscriptions to a price or group of plans of which their user has an older one: the user pays twice.',
        }),
        graph('Events not seen', [['max(stripe_events_not_seen_seconds)', 'not seen']], {
          width: 12,
          unit: 's',
          description:
            'Length of the time whose events Stripe lists no more and no sweep read; 0 once a reconcile covered it.',
        }),
        graph(
          'Usage reported to meters',
          [['sum by (outcome) (rate(stripe_meter_reports_total[5m])) * 3600', '{{outcome}}']],
          {
            width: 12,
            description:
              'Reports of usage to meters of Stripe per hour, by their outcome. `duplicate` and `found`: Stripe had it already.',
          },
        ),
        graph('Usage that is due to be reported', [['max(stripe_meter_report_lag_seconds)', 'lag']], {
          width: 12,
          unit: 's',
          description: 'How long the oldest usage is due that its Stripe meter was not told of.',
        }),
        graph('Months of payloads ahead', [['max(ledger_payload_months_ahead)', 'months']], {
          width: 12,
          description:
            'Months after this one whose payloads of events have a place in the ledger. Below 1 the worker does not make them.',
        }),
        graph('Erasures of users', [['sum by (outcome) (increase(erasures_total[1h]))', '{{outcome}}']], {
          width: 12,
          description: 'Erasures that were done, or failed and are to be asked for again.',
        }),
      ],
    ],
  ],
});
