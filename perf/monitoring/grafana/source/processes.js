import { dashboard, figure, graph } from './panels.js';

const jobs = '{job=~"billing-.*"}';
const legend = '{{job}} {{instance}}';

/** The Node.js processes of API and worker. */
export const processes = dashboard({
  uid: 'billing-processes',
  title: 'Billing: processes',
  description: 'CPU, memory, event loop and restarts of the API and worker processes.',
  rows: [
    [
      'Processes',
      [
        figure('Up', `count(up${jobs} == 1) or vector(0)`, { limit: 1, isLowBad: true }),
        figure('Restarts (24 h)', `sum(changes(process_start_time_seconds${jobs}[1d]))`, { decimals: 0 }),
        figure('Youngest process', `time() - max(process_start_time_seconds${jobs})`, {
          unit: 's',
          decimals: 0,
        }),
        graph('CPU', [[`rate(process_cpu_seconds_total${jobs}[$__rate_interval])`, legend]], {
          unit: 'percentunit',
        }),
        graph(
          'Memory',
          [
            [`process_resident_memory_bytes${jobs}`, `${legend} resident`],
            [`nodejs_heap_size_used_bytes${jobs}`, `${legend} heap`],
          ],
          { unit: 'bytes' },
        ),
        graph('Event loop delay, p99', [[`nodejs_eventloop_lag_p99_seconds${jobs}`, legend]], {
          unit: 's',
          limit: 0.1,
        }),
        graph(
          'Garbage collection',
          [
            [
              `sum by (job, instance, kind) (rate(nodejs_gc_duration_seconds_sum${jobs}[$__rate_interval]))`,
              `${legend} {{kind}}`,
            ],
          ],
          { unit: 'percentunit' },
        ),
        graph(
          'Connections to Postgres',
          [
            [`database_pool_waiting${jobs}`, `${legend} queries waiting`],
            [`database_pool_connections${jobs}`, `${legend} open`],
            [`database_pool_idle_connections${jobs}`, `${legend} idle`],
          ],
          { description: 'Queries that wait for minutes mean a pool that is too small, or a slow Postgres.' },
        ),
        graph('Clock ahead of Postgres', [[`clock_skew_seconds${jobs}`, legend]], { unit: 's', limit: 1 }),
        graph('Open files', [[`process_open_fds${jobs}`, legend]]),
        graph('Active resources', [[`sum by (job, instance) (nodejs_active_resources${jobs})`, legend]], {
          description: 'Open sockets, timers and requests in Node.js. A number that only grows is a leak.',
        }),
      ],
    ],
  ],
});
