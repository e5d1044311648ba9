import { dashboard, figure, graph } from './panels.js';

const commit = 'service:usage_commit_seconds';
const commitLimitSeconds = 0.1;

/** What is taken and recorded of limits and metered features, what no allowance covers, and what waits. */
export const usage = dashboard({
  uid: 'billing-usage',
  title: 'Billing: usage',
  description:
    'Limits and metered features: decisions, commits, uncovered usage, reservations and the queue.',
  rows: [
    [
      'Now',
      [
        figure('Commit, p95', `${commit}:p95_5m`, { unit: 's', limit: commitLimitSeconds }),
        figure('Calls answered 503', 'service:usage_unavailable:ratio_5m', {
          unit: 'percentunit',
          limit: 0.01,
          decimals: 2,
        }),
        figure('Uncovered (1 h)', 'sum(increase(usage_uncovered_total[1h])) or vector(0)', {
          limit: 1,
          decimals: 0,
        }),
        figure(
          'Queued and refused (24 h)',
          'sum(increase(usage_queued_total{outcome="refused"}[1d])) or vector(0)',
          { limit: 1, decimals: 0 },
        ),
        figure('Queued and waiting', 'sum(queue:bullmq_queue_jobs:waiting{queue="usage-events"})', {
          limit: 1000,
        }),
        figure('Weeks of events ahead', 'max(usage_partitions_ahead)', { limit: 1, isLowBad: true }),
      ],
    ],
    [
      'Decisions',
      [
        graph(
          'By outcome',
          [['sum by (outcome) (rate(usage_events_total[$__rate_interval]))', '{{outcome}}']],
          {
            unit: 'ops',
            isStacked: true,
            description:
              '`denied` is an answer: no allowance covered it. `refused`: the request was wrong. `failed`: it could not be decided.',
          },
        ),
        graph('By mode', [['sum by (mode) (rate(usage_events_total[$__rate_interval]))', '{{mode}}']], {
          unit: 'ops',
          isStacked: true,
        }),
        graph('Uncovered', [['sum(rate(usage_uncovered_total[5m])) * 3600', 'per hour']], {
          description:
            'Recorded although neither an allowance nor allowed overage covered it, in the units of the features.',
        }),
        graph('Calls answered 503', [['service:usage_unavailable:ratio_5m', '503']], {
          unit: 'percentunit',
          limit: 0.01,
        }),
      ],
    ],
    [
      'Commits',
      [
        graph(
          'Time of a commit',
          ['p50', 'p95', 'p99'].map((quantile) => [`${commit}:${quantile}_5m`, quantile]),
          { unit: 's', limit: commitLimitSeconds, width: 8 },
        ),
        graph(
          'Decisions in a commit',
          [
            ['sum(rate(usage_batch_size_sum[5m])) / sum(rate(usage_batch_size_count[5m]))', 'mean'],
            ['histogram_quantile(0.95, sum by (le) (rate(usage_batch_size_bucket[5m])))', 'p95'],
          ],
          { limit: 256, width: 8, description: 'A commit takes at most 256: near that, the next ones wait.' },
        ),
        graph('Commits', [['sum(rate(usage_commit_seconds_count[$__rate_interval]))', 'commits']], {
          unit: 'ops',
          width: 8,
        }),
      ],
    ],
    [
      'What waits',
      [
        graph('Reservations', [['max by (state) (usage_reservations)', '{{state}}']], {
          width: 8,
          description: '`overdue`: due, and not written down as over. The clock has decided all the same.',
        }),
        graph(
          'Queue usage-events',
          [['max by (state) (bullmq_queue_jobs{queue="usage-events"})', '{{state}}']],
          { width: 8, description: 'Recorded while Postgres was away.' },
        ),
        graph(
          'Queued usage by outcome',
          [['sum by (outcome) (rate(usage_queued_total[$__rate_interval]))', '{{outcome}}']],
          { unit: 'ops', width: 8 },
        ),
      ],
    ],
  ],
});
