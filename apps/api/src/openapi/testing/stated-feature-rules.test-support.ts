import { uniqueId } from '../../testing/start-commerce.test-support.ts';
import type { Call } from './call-endpoint.test-support.ts';
import type { RuleName } from './stated-rules.test-support.ts';

/** A call that fits the schema, and what it is refused for. */
export type StatedRow = [rule: RuleName, operationId: string, field: string, call: () => Call];

const featured = (...features: object[]) => ({
  body: { product_id: uniqueId('product'), name: 'n', features },
});
const calls = { feature_code: 'metered_here', allowance: 1, period: 'month' };
const nested = (levels: number): unknown => (levels === 0 ? 1 : [nested(levels - 1)]);
/** What a product says of features, and the field that is refused. */
const wrongFeatures: [rule: RuleName, field: string, features: () => object[]][] = [
  ['settingsOfBoth', 'limit', () => [{ ...calls, limit: 1 }]],
  ['settingIsMissing', 'period', () => [{ feature_code: 'f', allowance: 1 }]],
  ['settingIsMissing', 'allowance', () => [{ feature_code: 'f', period: 'day' }]],
  ['settingIsMissing', 'limit', () => [{ feature_code: 'f', add_on: true }]],
  ['settingOfOtherKind', 'limit', () => [{ ...calls, feature_code: 'limited_here' }]],
  ['settingOfOtherKind', 'allowance', () => [{ feature_code: 'metered_here', limit: 1 }]],
  ['settingOfBoolean', 'feature_code', () => [{ ...calls, feature_code: 'nobody' }]],
  ['overageThatIsDenied', 'overage_limit', () => [{ ...calls, overage_limit: 1 }]],
  ['rolloverOfOnce', 'rollover', () => [{ ...calls, period: 'once', rollover: { periods: 1 } }]],
  ['jsonTooLarge', 'value', () => [{ feature_code: 'f', limit: 1, value: 'x'.repeat(5_000) }]],
  ['jsonTooDeep', 'value', () => [{ feature_code: 'f', limit: 1, value: nested(21) }]],
  ['jsonNotStorable', 'value', () => [{ feature_code: 'f', limit: 1, value: '\0' }]],
  ['prototypeAsKey', 'value', () => [{ feature_code: 'f', limit: 1, value: { ['__proto__']: 1 } }]],
];

/** What is refused of limits, metered features and what gives them. `metered_here`, `limited_here` are described. */
export const featureRows = (grant: (more: object) => object): StatedRow[] => [
  ['amountOfBoolean', 'createGrant', 'amount', () => ({ body: grant({ amount: 1 }) })],
  ['amountIsMissing', 'createGrant', 'amount', () => ({ body: grant({ feature_code: 'metered_here' }) })],
  [
    'levelOfNoLimit',
    'createFeature',
    'counted',
    () => ({ body: { feature_code: uniqueId('f'), kind: 'metered', counted: true } }),
  ],
  [
    'thresholdsOfNothing',
    'createFeature',
    'thresholds',
    () => ({ body: { feature_code: uniqueId('f'), kind: 'limit', thresholds: [80] } }),
  ],
  [
    'meterOfOthers',
    'createFeature',
    'stripe_meter',
    () => ({
      body: {
        feature_code: uniqueId('f'),
        kind: 'limit',
        stripe_meter: { event_name: 'calls', report: 'all' },
      },
    }),
  ],
  ...wrongFeatures.map(([rule, field, features]): StatedRow => [
    rule,
    'createProduct',
    `features.0.${field}`,
    () => featured(...features()),
  ]),
  ['featureTwice', 'createProduct', 'features.1.feature_code', () => featured(calls, calls)],
  [
    'tooManyFeatures',
    'createProduct',
    'features',
    () => ({
      body: {
        ...featured(calls).body,
        feature_codes: Array.from({ length: 200 }, (_, index) => `code_${index}`),
      },
    }),
  ],
  [
    'zoneThatIsNone',
    'patchProject',
    'policy.usage_timezone',
    () => ({ body: { policy: { usage_timezone: 'Europe/Atlantis' } } }),
  ],
];
