import { dashboard, graph } from './panels.js';

/** Postgres and Redis, from the metrics of their exporters. */
export const infrastructure = dashboard({
  uid: 'billing-infrastructure',
  title: 'Billing: Postgres and Redis',
  description: 'Needs postgres_exporter and redis_exporter (docker compose --profile monitoring).',
  rows: [
    [
      'Postgres',
      [
        graph(
          'Connections',
          [
            ['sum by (datname) (pg_stat_database_numbackends{datname!=""})', '{{datname}}'],
            ['max(pg_settings_max_connections)', 'limit'],
          ],
          { description: 'Each process opens up to DATABASE_POOL_SIZE.' },
        ),
        graph(
          'Transactions',
          [
            ['sum(rate(pg_stat_database_xact_commit[$__rate_interval]))', 'committed'],
            ['sum(rate(pg_stat_database_xact_rollback[$__rate_interval]))', 'rolled back'],
          ],
          { unit: 'ops' },
        ),
        graph(
          'Buffer hit ratio',
          [
            [
              'sum(rate(pg_stat_database_blks_hit[5m])) / (sum(rate(pg_stat_database_blks_hit[5m])) + sum(rate(pg_stat_database_blks_read[5m])))',
              'from memory',
            ],
          ],
          { unit: 'percentunit', max: 1, limit: 0.99, isLowBad: true },
        ),
        graph(
          'Lag of replicas',
          [
            ['max by (replica) (database_replica_lag_seconds)', '{{replica}}'],
            ['min by (replica) (database_replica_used)', '{{replica}} used'],
          ],
          {
            unit: 's',
            description: 'As the processes measure it; one that cannot be reached gets ever older.',
          },
        ),
        graph('Locks and deadlocks', [
          ['sum by (mode) (pg_locks_count)', '{{mode}}'],
          ['sum(increase(pg_stat_database_deadlocks[5m]))', 'deadlocks'],
        ]),
      ],
    ],
    [
      'Redis',
      [
        graph(
          'Memory',
          [
            ['redis_memory_used_bytes', '{{role}} used'],
            ['redis_memory_max_bytes', '{{role}} limit'],
          ],
          { unit: 'bytes' },
        ),
        graph('Commands', [['rate(redis_commands_processed_total[$__rate_interval])', '{{role}}']], {
          unit: 'ops',
        }),
        graph('Connections', [['redis_connected_clients', '{{role}}']]),
        graph('Evicted keys', [['rate(redis_evicted_keys_total[$__rate_interval])', '{{role}}']], {
          unit: 'ops',
          description: 'The cache may evict. On the queue this must stay at zero.',
        }),
      ],
    ],
  ],
});
