import { compareRatios, describeFailures } from './compare.ts';
import type { Ratio } from './ratios.ts';

const measured = (better: Ratio['better'], value: number | undefined): Ratio => ({
  name: 'a ratio',
  scenario: 'hit',
  margin: 0.9,
  better,
  value,
});
const kept = { 'a ratio': { value: 2, least: 1.9, greatest: 2.1, margin: 0.25 } };

describe('ratios beside the baseline', () => {
  it.each([
    ['lower', 2.4, 'within margin'],
    ['lower', 2.5, 'within margin'],
    ['lower', 2.6, 'REGRESSED'],
    ['lower', 1.6, 'within margin'],
    ['lower', 1.4, 'better'],
    ['higher', 1.6, 'within margin'],
    ['higher', 1.5, 'within margin'],
    ['higher', 1.4, 'REGRESSED'],
    ['higher', 2.6, 'better'],
    ['higher', undefined, 'NOT MEASURED'],
  ] as const)('where %s is better, %p beside 2 ± 25 %% is %s', (better, value, outcome) => {
    const findings = compareRatios(kept, [measured(better, value)]);
    expect(findings.map((finding) => finding.outcome)).toEqual([outcome]);
    const passes = outcome === 'within margin' || outcome === 'better';
    expect(describeFailures(findings)).toHaveLength(passes ? 0 : 1);
  });

  it('names what regressed, with baseline, measured and limit', () => {
    expect(describeFailures(compareRatios(kept, [measured('lower', 3)]))).toEqual([
      'a ratio: regressed, baseline 2.00, measured 3.00, limit 2.50',
    ]);
  });

  it('fails on a ratio that the baseline lacks, and says how to renew it', () => {
    const [failure] = describeFailures(compareRatios({}, [measured('lower', 3)]));
    expect(failure).toMatch(/^a ratio: .*npm run perf:baseline/);
  });

  it('fails on a ratio that only the baseline knows', () => {
    const findings = compareRatios(kept, []);
    expect(findings).toEqual([{ name: 'a ratio', outcome: 'NOT MEASURED', baseline: 2 }]);
    expect(describeFailures(findings)[0]).toContain('ratios.ts');
  });
});
