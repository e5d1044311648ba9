import { spawnSync } from 'node:child_process';

/** What `promtool check metrics` says of names and help texts, for machines without it. */
function ownComplaints(text: string): string[] {
  const helped = new Set([...text.matchAll(/^# HELP (\S+) \S/gm)].map(([, name]) => name));
  return [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].flatMap(([, name = '', type = '']) => {
    const isCounter = type === 'counter';
    return [
      ...(helped.has(name) ? [] : [`${name} no help text`]),
      ...(isCounter && !name.endsWith('_total')
        ? [`${name} counter metrics should have "_total" suffix`]
        : []),
      ...(!isCounter && name.endsWith('_total')
        ? [`${name} non-counter metrics should not have "_total" suffix`]
        : []),
    ];
  });
}

/** What is wrong with the text of a scrape, one line each. Asks `promtool` too, where it is installed. */
export function metricComplaints(text: string): string[] {
  const { error, status, stderr, stdout } = spawnSync('promtool', ['check', 'metrics'], {
    input: text,
    encoding: 'utf8',
    timeout: 20_000,
  });
  const asked = error === undefined && status !== 0 ? `${stdout}${stderr}`.trim().split('\n') : [];
  return [...new Set([...ownComplaints(text), ...asked])];
}
