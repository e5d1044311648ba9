import { dashboard, figure, graph } from './panels.js';

const OURS = '{job=~"billing-.*"}';
const LEGEND = '{{job}} {{instance}}';

/** The Node processes themselves. */
export const processes = dashboard({
  uid: 'billing-processes',
  title: 'Billing: processes',
  description: 'CPU, memory, event loop and restarts of the API and worker processes.',
  rows: [
    [
      'Processes',
      [
        figure('Up', `count(up${OURS} == 1) or vector(0)`, { limit: 1, isLowBad: true }),
        figure('Restarts (24 h)', `sum(changes(process_start_time_seconds${OURS}[1d]))`, { decimals: 0 }),
        figure('Youngest process', `time() - max(process_start_time_seconds${OURS})`, {
          unit: 's',
          decimals: 0,
        }),
        graph('CPU', [[`rate(process_cpu_seconds_total${OURS}[$__rate_interval])`, LEGEND]], {
          unit: 'percentunit',
        }),
        graph(
          'Memory',
          [
            [`process_resident_memory_bytes${OURS}`, `${LEGEND} resident`],
            [`nodejs_heap_size_used_bytes${OURS}`, `${LEGEND} heap`],
          ],
          { unit: 'bytes' },
        ),
        graph('Event loop delay, p99', [[`nodejs_eventloop_lag_p99_seconds${OURS}`, LEGEND]], {
          unit: 's',
          limit: 0.1,
        }),
        graph(
          'Garbage collection',
          [
            [
              `sum by (job, instance, kind) (rate(nodejs_gc_duration_seconds_sum${OURS}[$__rate_interval]))`,
              `${LEGEND} {{kind}}`,
            ],
          ],
          { unit: 'percentunit' },
        ),
        graph('Open files', [[`process_open_fds${OURS}`, LEGEND]]),
        graph('Active resources', [[`sum by (job, instance) (nodejs_active_resources${OURS})`, LEGEND]], {
          description: 'Sockets, timers and requests that Node keeps track of: what only grows is a leak.',
        }),
      ],
    ],
  ],
});
