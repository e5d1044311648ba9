import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createMetrics, createStripePermissions } from '@billing/platform';
import { createClockGauge, createPoolGauges, createReplicaMetrics } from '@billing/store';
import { createSyncMetrics } from '@billing/sync';
import { createConsoleMetrics } from '../../apps/api/src/console/console-metrics.ts';
import { createEmitLagGauge } from '../../apps/worker/src/webhooks/emit-lag-gauge.ts';
import { createSenderMetrics } from '../../apps/worker/src/webhooks/webhook-metrics.ts';
import { metricNames, readRules } from './read-rules.ts';

const here = new URL('.', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, here), 'utf8');

const records = readRules(read('prometheus/rules/recording.yml'));
const alerts = readRules(read('prometheus/rules/alerts.yml'));
const dashboards = readdirSync(new URL('grafana/dashboards', here)).map((file) => ({
  file,
  ...JSON.parse(read(`grafana/dashboards/${file}`)),
})) as { file: string; panels: { title: string; targets?: { expr: string }[] }[] }[];

/** Every name that a scrape of a process can contain: a histogram has several. */
async function exportedNames(): Promise<Set<string>> {
  const names = new Set(['up']);
  const metrics = createMetrics({ service: 'test' });
  createSyncMetrics(metrics);
  createReplicaMetrics(metrics);
  createStripePermissions(metrics);
  createPoolGauges(metrics);
  createClockGauge(metrics, () => Promise.resolve(0));
  createEmitLagGauge(metrics, () => Promise.resolve(0));
  createSenderMetrics(metrics);
  createConsoleMetrics(metrics, () => Promise.resolve(0));
  for (const { name, type } of await metrics.registry.getMetricsAsJSON()) {
    names.add(name);
    if (String(type) === 'histogram')
      for (const suffix of ['bucket', 'sum', 'count']) names.add(`${name}_${suffix}`);
  }
  return names;
}

/** From postgres_exporter and redis_exporter, as Debian packages both. */
const fromExporters = new Set([
  'pg_stat_database_numbackends',
  'pg_settings_max_connections',
  'pg_stat_database_xact_commit',
  'pg_stat_database_xact_rollback',
  'pg_stat_database_blks_hit',
  'pg_stat_database_blks_read',
  'pg_stat_database_deadlocks',
  'pg_locks_count',
  'redis_memory_used_bytes',
  'redis_memory_max_bytes',
  'redis_commands_processed_total',
  'redis_connected_clients',
  'redis_evicted_keys_total',
]);

test('every metric in a rule is exported by the code or recorded by another rule', async () => {
  const known = new Set([...(await exportedNames()), ...records.map((rule) => rule.name)]);
  for (const { name, expr } of [...records, ...alerts]) {
    const used = metricNames(expr);
    expect({ name, used: used.length }).not.toEqual({ name, used: 0 });
    expect({ name, unknown: used.filter((metric) => !known.has(metric)) }).toEqual({ name, unknown: [] });
  }
});

test.each(dashboards)(
  'every metric in a panel of $file is exported or recorded',
  async ({ file, panels }) => {
    const known = new Set([...(await exportedNames()), ...records.map((rule) => rule.name)]);
    if (file === 'billing-infrastructure.json') for (const name of fromExporters) known.add(name);
    const queries = panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ title, expr })));
    expect(queries.length).toBeGreaterThan(0);
    for (const { title, expr } of queries) {
      const used = metricNames(expr);
      expect({ title, used: used.length }).not.toEqual({ title, used: 0 });
      expect({ title, unknown: used.filter((metric) => !known.has(metric)) }).toEqual({ title, unknown: [] });
    }
  },
);

test('the dashboards are up to date with their source', () => {
  const build = new URL('grafana/build.js', here).pathname;
  expect(() => execFileSync(process.execPath, [build, '--check'])).not.toThrow();
});

test('every alert has a unit test in which it fires and one in which it is silent', () => {
  const tests = read('prometheus/tests/alerts.test.yml').split(/^ {2}- name: /m);
  for (const { name } of alerts) {
    const own = tests.filter((text) => new RegExp(`alertname: ${name}$`, 'm').test(text));
    const silent = own.filter((text) => text.includes('exp_alerts: []'));
    expect({ name, fires: own.length > silent.length, isSilent: silent.length > 0 }).toEqual({
      name,
      fires: true,
      isSilent: true,
    });
  }
});

test('every alert leads to a heading of the runbook', () => {
  const headings = read('../../docs/operations.md')
    .split('\n')
    .filter((line) => /^#{1,4} /.test(line))
    .map((line) =>
      line
        .replace(/^#+ /, '')
        .toLowerCase()
        .replaceAll(/[^\w\s-]/g, '')
        .replaceAll(' ', '-'),
    );
  for (const { name, runbookUrl } of alerts) {
    expect(runbookUrl).toMatch(/^docs\/operations\.md#/);
    expect({ name, isThere: headings.includes(runbookUrl?.split('#')[1] ?? '') }).toEqual({
      name,
      isThere: true,
    });
  }
});

test('metric names are found wherever PromQL allows one', () => {
  const expr = `sum by (route) (rate(a_total{code=~"5..|b_total"}[5m])) / on (x) group_left (y) job:c:p95_5m
    and d > 1e3 or absent(up{job="z"}) or vector(0) unless e offset 30m`;
  expect(metricNames(expr)).toEqual(['a_total', 'job:c:p95_5m', 'd', 'up', 'e']);
});
