import { ofConsole } from './of-console.js';
import { dashboard, figure, graph } from './panels.js';

const quantiles = (metric, limits = ['p50', 'p95', 'p99']) =>
  limits.map((quantile) => [`${metric}:${quantile}_5m`, quantile]);
const check = '{route="/api/v1/entitlements"}';

const missed = (promise) =>
  ['5m', '1h', '2h', '1d'].map((window) => [`${promise}:slo_missed:ratio_${window}`, window]);

/** The first page for an operator: latency, errors and freshness. */
export const service = dashboard({
  uid: 'billing-service',
  title: 'Billing: service',
  description: 'Latency, throughput and errors by route, the cache and the database behind them.',
  rows: [
    [
      'Now',
      [
        figure('Entitlement check, p95', `route:http_request_duration_seconds:p95_5m${check}`, {
          unit: 's',
          limit: 0.1,
        }),
        figure('Errors (5xx)', 'service:http_errors:ratio_5m', {
          unit: 'percentunit',
          limit: 0.01,
          decimals: 2,
        }),
        figure('Cache hit rate', 'service:entitlement_cache_hits:ratio_5m', {
          unit: 'percentunit',
          limit: 0.7,
          isLowBad: true,
          decimals: 1,
        }),
        figure('Webhook to effect, p99', 'service:webhook_processing_seconds:p99_5m', {
          unit: 's',
          limit: 2,
        }),
        figure('Jobs waiting', 'sum(queue:bullmq_queue_jobs:waiting)', { limit: 1000 }),
        figure('Targets down', 'count(up{job=~"billing-.*"} == 0) or vector(0)', { limit: 1 }),
      ],
    ],
    [
      'Promises',
      [
        graph('Checks above 100 ms or failed', missed('checks'), {
          unit: 'percentunit',
          limit: 0.0144,
          width: 8,
        }),
        graph('Webhooks accepted after 1 s or refused', missed('webhooks'), {
          unit: 'percentunit',
          limit: 0.0144,
          width: 8,
        }),
        graph('Events in effect after 2 s', missed('visible'), {
          unit: 'percentunit',
          limit: 0.144,
          width: 8,
        }),
      ],
    ],
    [
      'HTTP',
      [
        graph('Entitlement check', quantilesOfRoute('/api/v1/entitlements'), {
          unit: 's',
          limit: 0.1,
          hasExemplars: true,
        }),
        graph('p95 by route', [['route:http_request_duration_seconds:p95_5m', '{{route}}']], { unit: 's' }),
        graph('p99 by route', [['route:http_request_duration_seconds:p99_5m', '{{route}}']], { unit: 's' }),
        graph('Requests by route', [['route:http_requests:rate5m', '{{route}}']], {
          unit: 'reqps',
          isStacked: true,
        }),
        graph('Errors (5xx) by route', [['route:http_errors:ratio_5m', '{{route}}']], {
          unit: 'percentunit',
          limit: 0.01,
        }),
        graph(
          'Responses by status',
          [['sum by (status_code) (rate(http_requests_total[$__rate_interval]))', '{{status_code}}']],
          { unit: 'reqps', isStacked: true },
        ),
        graph(
          'Changes of plan by answer',
          [
            [
              'sum by (status_code) (rate(http_requests_total{route="/api/v1/subscriptions/:subscription_id/change"}[$__rate_interval]))',
              '{{status_code}}',
            ],
          ],
          {
            unit: 'reqps',
            isStacked: true,
            description:
              '402: the payment failed, and the old plan goes on. 409: the preview is out of date, or the state allows no change.',
          },
        ),
        graph(
          'Default promotion codes left out',
          [['sum by (reason) (rate(checkout_default_codes_left_out_total[$__rate_interval]))', '{{reason}}']],
          {
            unit: 'reqps',
            description:
              'Sales without the promotion code that is the default of their project: Stripe has none (`not_found`), or refuses it for the buyer (`refused`).',
          },
        ),
        graph(
          'Refused credentials by area',
          [
            [
              'sum by (area, reason) (rate(auth_failures_total[$__rate_interval])) > 0',
              '{{area}}: {{reason}}',
            ],
          ],
          {
            unit: 'reqps',
            description: '`throttled`: wrong, and beyond what its address may send in a minute.',
          },
        ),
      ],
    ],
    ofConsole,
    [
      'Cache',
      [
        graph('Hit rate', [['service:entitlement_cache_hits:ratio_5m', 'hits']], {
          unit: 'percentunit',
          limit: 0.7,
          isLowBad: true,
          max: 1,
        }),
        graph(
          'Reads',
          [
            ['sum(rate(entitlement_cache_hits_total[$__rate_interval]))', 'from the cache'],
            ['sum(rate(entitlement_cache_misses_total[$__rate_interval]))', 'from Postgres'],
          ],
          { unit: 'reqps', isStacked: true },
        ),
        graph('In use', [['min(entitlement_cache_enabled)', 'share that may be asked']], {
          unit: 'percentunit',
          limit: 1,
          isLowBad: true,
          max: 1,
        }),
        graph(
          'Not admitted',
          [['sum(rate(entitlement_reads_not_admitted_total[$__rate_interval]))', '503']],
          {
            unit: 'reqps',
          },
        ),
      ],
    ],
    [
      'Database',
      [
        graph('Query time', quantiles('service:database_query_duration_seconds'), {
          unit: 's',
          limit: 0.05,
          width: 8,
        }),
        graph('p95 by operation', [['operation:database_query_duration_seconds:p95_5m', '{{operation}}']], {
          unit: 's',
          width: 8,
        }),
        graph(
          'Queries by operation',
          [
            [
              'sum by (operation) (rate(database_query_duration_seconds_count[$__rate_interval]))',
              '{{operation}}',
            ],
          ],
          { unit: 'ops', isStacked: true, width: 8 },
        ),
      ],
    ],
  ],
});

function quantilesOfRoute(route) {
  return ['p50', 'p95', 'p99'].map((quantile) => [
    `route:http_request_duration_seconds:${quantile}_5m{route="${route}"}`,
    quantile,
  ]);
}
