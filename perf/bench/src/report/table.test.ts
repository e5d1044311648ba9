import { spreadOf } from '../measure/statistics.ts';
import { atLeast, atMost } from './goal.ts';
import type { Row } from './row.ts';
import { latencyRows } from './row.ts';
import { formatCosts, formatGoals, formatLatencies } from './table.ts';

const cells = (table: string): string[][] =>
  table
    .split('\n')
    .filter((line) => !line.startsWith('| ---'))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );

const row = (node: string, reached: number): Row => ({
  scenario: 'a scenario',
  name: 'ours',
  unit: 'req/s',
  value: spreadOf([900, 1_000, 1_100]),
  cpuMicros: 61.4,
  cpu: { API: 50.2, Redis: 11.2 },
  ratio: 0.5,
  node,
  goals: [
    atLeast({ path: 'a path', figure: 'rate', reached }, 1),
    atMost({ path: 'a path', figure: 'CPU', reached }, 1),
  ],
});

describe('the tables of a run', () => {
  it('show each goal once, beside what each Node reached', () => {
    expect(cells(formatGoals([row('20.1.0', 0.9), row('24.1.0', 1.2)]))).toEqual([
      ['path', 'figure', 'goal', 'Node 20.1.0', 'Node 24.1.0'],
      ['a path', 'rate', '≥ 1', '0.90 NOT MET', '1.20 met'],
      ['a path', 'CPU', '≤ 1', '0.90 met', '1.20 NOT MET'],
    ]);
  });

  it('leave a goal empty that one Node did not measure', () => {
    const other = { ...row('24.1.0', 1), goals: [] };
    expect(cells(formatGoals([row('20.1.0', 1), other]))[1]).toEqual([
      'a path',
      'rate',
      '≥ 1',
      '1.00 met',
      '',
    ]);
  });

  it('show the CPU of all processes and of each before the rate', () => {
    expect(cells(formatCosts([row('20.1.0', 1)]))).toEqual([
      ['scenario', 'variant', 'CPU µs', 'by process', 'median', 'rounds', 'ratio'],
      ['a scenario', 'ours', '61', 'API 50 · Redis 11', '1,000 req/s', '900–1,100', '0.50'],
    ]);
  });

  it('show the percentiles of one variant side by side, and no costs of theirs', () => {
    const latencies = latencyRows({ scenario: 'a scenario', name: 'ours' }, [
      { p50: 1, p95: 2, p99: 3, max: 4, count: 10, failed: 0 },
      { p50: 3, p95: 4, p99: 5, max: 6, count: 10, failed: 0 },
    ]);
    expect(cells(formatLatencies(latencies))).toEqual([
      ['scenario', 'ms', 'p50', 'p95', 'p99'],
      ['a scenario', 'ours', '2.00 (1.00–3.00)', '3.00 (2.00–4.00)', '4.00 (3.00–5.00)'],
    ]);
    expect(cells(formatCosts(latencies))).toHaveLength(1);
  });
});
