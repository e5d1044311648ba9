import { makeBaseline, parseBaseline } from './baseline.ts';
import type { Ratio } from './ratios.ts';

const origin = {
  at: '2026-01-02T03:04:05.000Z',
  commit: 'abc1234',
  is_dirty: false,
  machine: {
    cpu: 'a processor',
    cores: 2,
    memory_gib: 8,
    node: 'v20.20.2',
    redis: '7.0.15',
    postgres: '18.0',
    load_generator: 'wrk' as const,
  },
};
const run = (value: number | undefined, p95 = 2) => ({
  ratios: [{ name: 'a ratio', scenario: 'hit', margin: 0.25, better: 'lower', value } satisfies Ratio],
  latencies: [{ name: 'a path', limits: {}, measured: { p50: 1, p95, p99: 3 } }],
});

describe('a new baseline', () => {
  it('takes medians over the runs and reports their spread', () => {
    const baseline = makeBaseline(origin, [run(1, 2), run(2.3456, 9), run(4, 3)]);
    expect(baseline).toMatchObject({
      runs: 3,
      ratios: { 'a ratio': { value: 2.35, least: 1, greatest: 4, margin: 0.25 } },
      latencies_ms: { 'a path': { p50: 1, p95: 3, p99: 3 } },
    });
    expect(parseBaseline(JSON.stringify(baseline))).toEqual(baseline);
  });

  it('keeps a margin that was set by hand', () => {
    const former = makeBaseline(origin, [run(1)]);
    const [kept] = Object.values(former.ratios);
    if (kept !== undefined) kept.margin = 0.5;
    expect(makeBaseline(origin, [run(2)], former).ratios['a ratio']).toMatchObject({ value: 2, margin: 0.5 });
  });

  it('is not made from a run in which a figure is missing', () => {
    expect(() => makeBaseline(origin, [run(1), run(undefined)])).toThrow(/Not measured: a ratio/);
  });
});

describe('a baseline that was damaged', () => {
  const whole = makeBaseline(origin, [run(1)]);
  it.each([
    ['not JSON', '{"at": ', /is not JSON.*npm run perf:baseline/],
    ['not an object', '[]', /can't be used.*npm run perf:baseline/],
    ['no ratios', JSON.stringify({ ...whole, ratios: undefined }), /→ at ratios/],
    [
      'a margin of 100 %',
      JSON.stringify({ ...whole, ratios: { 'a ratio': { value: 1, least: 1, greatest: 1, margin: 1 } } }),
      /→ at ratios\["a ratio"\]\.margin/,
    ],
  ])('%s: the error says what to do', (_what, text, message) =>
    expect(() => parseBaseline(text)).toThrow(message),
  );
});
