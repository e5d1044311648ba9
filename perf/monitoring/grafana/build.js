/**
 * Writes the dashboards as the JSON that Grafana provisions: `node perf/monitoring/grafana/build.js`.
 * With --check it writes nothing and fails if a file differs from its source.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { events } from './source/events.js';
import { infrastructure } from './source/infrastructure.js';
import { processes } from './source/processes.js';
import { service } from './source/service.js';
import { usage } from './source/usage.js';

const isCheck = process.argv.includes('--check');
for (const dashboard of [service, events, usage, processes, infrastructure]) {
  const file = new URL(`./dashboards/${dashboard.uid}.json`, import.meta.url);
  const json = `${JSON.stringify(dashboard, null, 2)}\n`;
  if (!isCheck) writeFileSync(file, json);
  else if (readFileSync(file, 'utf8') !== json) {
    console.error(`${file.pathname} differs from its source: run node perf/monitoring/grafana/build.js`);
    process.exitCode = 1;
  }
}
