import { spreadOf } from '../measure/statistics.ts';
import type { Row } from '../report/row.ts';
import { findSlow, readLatencies } from './latencies.ts';
import { ratioKinds, readRatios } from './ratios.ts';

const row = (scenario: string, name: string, value: number, cpuMicros?: number): Row => ({
  scenario,
  name,
  unit: '',
  value: spreadOf([value]),
  ...(cpuMicros === undefined ? {} : { cpuMicros }),
});
const rows = [
  row('check, cache hit', 'our API', 500, 40),
  row('check, cache hit', 'node:http, same work', 1_000, 20),
  row('check, cache hit', 'Fastify, same work', 1_000),
];
const named = (name: string) => ratioKinds.filter((kind) => kind.name === name);

describe('ratios from the rows of a run', () => {
  it.each([
    ['check hit, CPU ÷ node:http', 'lower', 2],
    ['check hit, rate ÷ Fastify', 'higher', 0.5],
    ['webhook, CPU ÷ Fastify', 'lower', undefined],
  ] as const)('%s: %s is better, %p', (name, better, value) => {
    expect(readRatios(rows, named(name))).toMatchObject([{ name, better, value }]);
  });

  it('treats a figure of 0 as missing', () => {
    const idle = [rows[0], row('check, cache hit', 'Fastify, same work', 0, 0)].flatMap((one) => one ?? []);
    expect(readRatios(idle, named('check hit, rate ÷ Fastify'))).toMatchObject([{ value: undefined }]);
  });

  it('gives every ratio a name of its own', () => {
    expect(new Set(ratioKinds.map(({ name }) => name)).size).toBe(ratioKinds.length);
  });
});

describe('latencies beside the load targets', () => {
  const measured = (p50: number, p95: number, p99: number): Row[] =>
    Object.entries({ p50, p95, p99 }).map(([share, value]) =>
      row('check, 100/s open loop', `our API, miss, ${share}`, value),
    );
  const slow = (run: readonly Row[]): string[] =>
    findSlow(readLatencies(run).filter(({ name }) => name === 'check without cache, 100/s'));

  it.each([
    [measured(49, 149, 299), []],
    [measured(50, 10, 10), ['check without cache, 100/s: p50 50.0 ms, limit 50 ms']],
    [measured(10, 160, 310), [expect.stringContaining('p95 160.0'), expect.stringContaining('p99 310.0')]],
    [[], ['check without cache, 100/s: not measured']],
  ])('names each limit that is not met', (run, expected) => expect(slow(run)).toEqual(expected));
});
