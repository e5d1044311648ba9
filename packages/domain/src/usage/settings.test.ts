import { createFeatureRequest, patchFeatureRequest } from '../contracts/admin/features.ts';
import { productFeature, productFeatures } from '../contracts/admin/product-features.ts';
import { kindProblem } from './features.ts';
import { canonicalJson, storableJson } from './storable-json.ts';
import { isTimeZone } from './zoned-time.ts';
import { aLimit, metered } from './usage.test-support.ts';

const pathsOf = (parsed: { success: boolean; error?: { issues: { path: PropertyKey[] }[] } }): string[] =>
  parsed.error?.issues.map((issue) => issue.path.join('.')) ?? [];

describe('settings of a product’s feature: which field is refused', () => {
  const calls = { allowance: 100, period: 'billing' };
  it.each<[string, object, string[]]>([
    ['only the code', {}, []],
    ['a limit', { limit: 5, per_unit: true, add_on: true, value: { a: [1] } }, []],
    ['unlimited', { limit: null }, []],
    ['a limit below 0', { limit: -1 }, ['limit']],
    ['a fraction', { limit: 0.5 }, ['limit']],
    ['beyond 10¹²', { limit: 1e12 + 1 }, ['limit']],
    ['value without a limit', { value: 1 }, ['limit']],
    ['a value that is too long', { limit: 1, value: 'x'.repeat(4_096) }, ['value']],
    [
      'metered',
      { ...calls, trial_allowance: 1, anchor: 'calendar', overage: 'allow', overage_limit: null },
      [],
    ],
    ['rollover', { ...calls, rollover: { periods: 12, max: 5 } }, []],
    ['rollover of 13 periods', { ...calls, rollover: { periods: 13 } }, ['rollover.periods']],
    ['rollover of something else', { ...calls, rollover: { periods: 1, days: 1 } }, ['rollover']],
    [
      'rollover of what is given once',
      { allowance: 1, period: 'once', rollover: { periods: 1 } },
      ['rollover'],
    ],
    ['no period', { allowance: 1 }, ['period']],
    ['no allowance', { period: 'day' }, ['allowance']],
    ['another period', { allowance: 1, period: 'hour' }, ['period']],
    ['a limit of overage that is denied', { ...calls, overage_limit: 5 }, ['overage_limit']],
    ['both kinds', { ...calls, limit: 5 }, ['limit']],
    ['an unknown field', { ...calls, allowence: 5 }, ['']],
    ['a meter of Stripe', { ...calls, stripe_meter: { event_name: 'calls', report: 'overage' } }, []],
    [
      'a meter without a report',
      { ...calls, stripe_meter: { event_name: 'calls' } },
      ['stripe_meter.report'],
    ],
  ])('%s', (_what, settings, paths) => {
    expect(pathsOf(productFeature.safeParse({ feature_code: 'f', ...settings }))).toEqual(paths);
  });

  it('are completed with their defaults', () => {
    expect(productFeature.parse({ feature_code: 'f', ...calls }).settings).toEqual(metered());
    expect(productFeature.parse({ feature_code: 'f', limit: 5 }).settings).toEqual(aLimit());
    expect(productFeature.parse({ feature_code: 'f' }).settings).toBeUndefined();
  });

  it('name each code once', () => {
    const twice = [
      { feature_code: 'f', limit: 1 },
      { feature_code: 'f', limit: 2 },
    ];
    expect(pathsOf(productFeatures.safeParse(twice))).toEqual(['1.feature_code']);
  });

  it.each([
    ['boolean', undefined, null],
    ['boolean', aLimit(), 'takes_no_settings'],
    ['limit', undefined, 'feature_needs_settings'],
    ['limit', metered(), 'needs_limit'],
    ['limit', aLimit(), null],
    ['metered', undefined, 'feature_needs_settings'],
    ['metered', aLimit(), 'needs_allowance'],
    ['metered', metered(), null],
  ] as const)('fit the kind: %s, %j', (kind, settings, problem) => {
    expect(kindProblem(kind, settings)).toBe(problem);
  });
});

describe('features', () => {
  it.each<[string, object, string[]]>([
    ['metered', { kind: 'metered', thresholds: [80, 100], unit: 'call' }, []],
    ['counted', { kind: 'limit', counted: true, thresholds: [80] }, []],
    ['counted, but metered', { kind: 'metered', counted: true }, ['counted']],
    ['thresholds of a boolean', { kind: 'boolean', thresholds: [80] }, ['thresholds']],
    ['thresholds of a limit that is not counted', { kind: 'limit', thresholds: [80] }, ['thresholds']],
    ['a threshold of 0', { kind: 'metered', thresholds: [0] }, ['thresholds.0']],
    [
      'eleven thresholds',
      { kind: 'metered', thresholds: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11] },
      ['thresholds'],
    ],
    ['no kind', {}, ['kind']],
  ])('%s', (_what, fields, paths) => {
    expect(pathsOf(createFeatureRequest.safeParse({ feature_code: 'f', ...fields }))).toEqual(paths);
  });

  it('thresholds are sorted, each once', () => {
    expect(patchFeatureRequest.parse({ thresholds: [100, 80, 100] })).toEqual({ thresholds: [80, 100] });
  });
});

describe('JSON that is kept', () => {
  it.each<[string, unknown, boolean]>([
    ['anything', { a: [1, null, true, 'ä', {}] }, true],
    ['a NUL', 'a\0', false],
    ['a NUL in a name', { 'a\0': 1 }, false],
    ['half a character', ['\uD800'], false],
    ['too many bytes, not characters', 'ä'.repeat(60), false],
    ['nothing', undefined, false],
    ['a hundred thousand brackets', JSON.parse(`${'['.repeat(100_000)}${']'.repeat(100_000)}`), false],
  ])('%s', (_what, value, isTaken) => {
    expect(storableJson(100).safeParse(value).success).toBe(isTaken);
  });

  it('is compared by value', () => {
    expect(canonicalJson({ b: [1, { d: 1, c: 2 }], a: null })).toBe('{"a":null,"b":[1,{"c":2,"d":1}]}');
  });
});

test('time zones are names of the IANA list', () => {
  const known = ['UTC', 'Europe/Berlin', 'America/Argentina/Buenos_Aires', 'Etc/GMT+5'];
  const unknown = ['', 'Europe/Nowhere', '+02:00', 'Berlin', 'UTC\0', 'x'.repeat(500)];
  expect([...known, ...unknown].filter(isTimeZone)).toEqual(known);
});
