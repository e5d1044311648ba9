import type { FeatureOut, ProductOut } from '@billing/domain';
import { featuresForm } from '../src/pages/catalog/product-features.ts';
import { initialValues } from '../src/parts/values.ts';

const at = '2026-11-22T10:00:00.000Z';
const kinds = { seats: 'limit', calls: 'metered', tokens: 'metered' } as const;
const described = Object.entries(kinds).map(([code, kind]): FeatureOut => ({
  project_id: 'shop',
  feature_code: code,
  kind,
  name: null,
  unit: null,
  counted: false,
  thresholds: [],
  stripe_meter: null,
  created_at: at,
  updated_at: at,
}));

const features: ProductOut['features'] = [
  { feature_code: 'seats', limit: 5, value: { tier: 'gold' }, per_unit: true, add_on: false },
  {
    feature_code: 'calls',
    allowance: 1_000,
    trial_allowance: 10,
    period: 'month',
    anchor: 'calendar',
    per_unit: false,
    overage: 'allow',
    overage_limit: 500,
    rollover: { periods: 2, max: 100 },
    stripe_meter: { event_name: 'calls', report: 'overage' },
  },
  {
    feature_code: 'tokens',
    allowance: null,
    trial_allowance: null,
    period: 'once',
    anchor: 'source',
    per_unit: false,
    overage: 'deny',
    overage_limit: null,
  },
];

const product: ProductOut = {
  project_id: 'shop',
  product_id: 'pro',
  name: 'Pro',
  description: null,
  feature_codes: ['export', 'seats', 'calls', 'tokens'],
  features,
  group: null,
  rank: null,
  is_default: false,
  max_trials_per_user: null,
  stripe_product_id: null,
  access_days: null,
  is_archived: false,
  created_at: at,
  updated_at: at,
};

test('what nobody touches in the form of a product is sent as it was', () => {
  const { field, read } = featuresForm(described, product);
  const sent: unknown = JSON.parse(JSON.stringify(read(initialValues([field]))));
  expect(sent).toEqual([{ feature_code: 'export' }, ...features]);
});

test('a code that is described as a limit asks for a limit, any other for nothing', () => {
  const { field, read } = featuresForm(described);
  const namesOf = (code: string) => field.fieldsOf({ feature_code: code }).map(({ name }) => name);
  expect(namesOf('export')).toEqual(['feature_code']);
  expect(namesOf('seats')).toContain('limit');
  expect(namesOf('calls')).toContain('allowance');
  const rows = [{ feature_code: 'seats', limit: '5', per_unit: true }];
  expect(read({ features: rows })).toEqual([
    { feature_code: 'seats', limit: 5, per_unit: true, add_on: false, value: undefined },
  ]);
});
