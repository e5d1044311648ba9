import { startCommerce, uniqueId } from '../../testing/start-commerce.test-support.ts';
import type { Commerce } from '../../testing/start-commerce.test-support.ts';

let commerce: Commerce;
let projectId: string;
beforeAll(async () => {
  commerce = await startCommerce();
  ({ projectId } = await commerce.createProject());
  for (const [code, kind] of [
    ['calls', 'metered'],
    ['credits', 'metered'],
    ['seats', 'limit'],
    ['history', 'limit'],
    ['described', 'boolean'],
  ])
    await commerce.admin('post', `/projects/${projectId}/features`, { feature_code: code, kind }).expect(201);
});
afterAll(() => commerce.close());

const products = (id?: string): string =>
  `/projects/${projectId}/products${id === undefined ? '' : `/${id}`}`;
const create = (fields: object) =>
  commerce.admin('post', products(), { product_id: uniqueId('product'), name: 'Pro', ...fields });

const calls = { feature_code: 'calls', allowance: 1_000, period: 'month' };
const callsOut = {
  ...calls,
  anchor: 'source',
  per_unit: false,
  overage: 'deny',
  overage_limit: null,
};
const seats = { feature_code: 'seats', limit: 5 };
const seatsOut = { ...seats, per_unit: false, add_on: false };

const shown = ({ body }: { body: { feature_codes: string[]; features: object[] } }) => ({
  feature_codes: body.feature_codes,
  features: body.features,
});

test.each<[string, object, { feature_codes: string[]; features: object[] }]>([
  ['codes alone, as ever', { feature_codes: ['export'] }, { feature_codes: ['export'], features: [] }],
  ['features alone', { features: [calls] }, { feature_codes: ['calls'], features: [callsOut] }],
  ['neither', {}, { feature_codes: [], features: [] }],
  [
    'both: all codes, and those with settings',
    { feature_codes: ['export', 'described'], features: [calls, seats] },
    { feature_codes: ['export', 'described', 'calls', 'seats'], features: [callsOut, seatsOut] },
  ],
  [
    'a code that both name, once',
    { feature_codes: ['calls', 'export'], features: [calls] },
    { feature_codes: ['calls', 'export'], features: [callsOut] },
  ],
  [
    'a boolean code among the features',
    { features: [{ feature_code: 'export' }, seats] },
    { feature_codes: ['export', 'seats'], features: [seatsOut] },
  ],
  [
    'every setting',
    {
      features: [
        {
          feature_code: 'credits',
          allowance: null,
          trial_allowance: 10,
          period: 'billing',
          anchor: 'calendar',
          per_unit: true,
          overage: 'allow',
          overage_limit: 50,
          rollover: { periods: 3, max: 100 },
          stripe_meter: { event_name: 'credits', report: 'overage' },
        },
        { feature_code: 'history', limit: null, value: { days: [30, null] }, per_unit: true, add_on: true },
      ],
    },
    {
      feature_codes: ['credits', 'history'],
      features: [
        {
          feature_code: 'credits',
          allowance: null,
          trial_allowance: 10,
          period: 'billing',
          anchor: 'calendar',
          per_unit: true,
          overage: 'allow',
          overage_limit: 50,
          rollover: { periods: 3, max: 100 },
          stripe_meter: { event_name: 'credits', report: 'overage' },
        },
        { feature_code: 'history', limit: null, value: { days: [30, null] }, per_unit: true, add_on: true },
      ],
    },
  ],
])('a product is made of %s, and takes back what it shows', async (_what, fields, expected) => {
  const made = await create(fields).expect(201);
  expect(shown(made)).toEqual(expected);
  const read = await commerce.admin('get', products(made.body.product_id)).expect(200);
  expect(read.body).toEqual(made.body);
  const same = await commerce.admin('patch', products(made.body.product_id), expected).expect(200);
  expect(shown(same)).toEqual(expected);
});

test.each<[string, object, { feature_codes: string[]; features: object[] }]>([
  [
    'nothing',
    { name: 'Other' },
    { feature_codes: ['export', 'calls', 'seats'], features: [callsOut, seatsOut] },
  ],
  [
    'features: they replace those with settings',
    { features: [{ ...calls, allowance: 2_000 }] },
    { feature_codes: ['export', 'calls'], features: [{ ...callsOut, allowance: 2_000 }] },
  ],
  ['no features', { features: [] }, { feature_codes: ['export'], features: [] }],
  [
    'codes: those that stay keep their settings',
    { feature_codes: ['report', 'calls'] },
    { feature_codes: ['report', 'calls'], features: [callsOut] },
  ],
  [
    'both',
    { feature_codes: ['report'], features: [seats] },
    { feature_codes: ['report', 'seats'], features: [seatsOut] },
  ],
])('a change of %s', async (_what, patch, expected) => {
  const made = await create({ feature_codes: ['export'], features: [calls, seats] }).expect(201);
  const changed = await commerce.admin('patch', products(made.body.product_id), patch).expect(200);
  expect(shown(changed)).toEqual(expected);
});

const refusals: [string, object, string, string | undefined][] = [
  ['a metered code without settings', { feature_codes: ['calls'] }, 'feature_needs_settings', undefined],
  ['a limit without settings', { feature_codes: ['seats'] }, 'feature_needs_settings', undefined],
  [
    'a metered code that is only named',
    { features: [{ feature_code: 'calls' }] },
    'feature_needs_settings',
    undefined,
  ],
  [
    'settings of a code that nobody described',
    { features: [{ ...calls, feature_code: 'nobody' }] },
    'invalid_request',
    'features.0.feature_code',
  ],
  [
    'settings of a boolean code',
    { features: [seats, { ...seats, feature_code: 'described' }] },
    'invalid_request',
    'features.1.feature_code',
  ],
  [
    'an allowance of a limit',
    { features: [{ ...calls, feature_code: 'seats' }] },
    'invalid_request',
    'features.0.limit',
  ],
  [
    'a limit of what is metered',
    { features: [{ ...seats, feature_code: 'calls' }] },
    'invalid_request',
    'features.0.allowance',
  ],
  [
    'no period',
    { features: [{ feature_code: 'calls', allowance: 1 }] },
    'invalid_request',
    'features.0.period',
  ],
  [
    'no allowance',
    { features: [{ feature_code: 'calls', period: 'month' }] },
    'invalid_request',
    'features.0.allowance',
  ],
  [
    'a negative allowance',
    { features: [{ ...calls, allowance: -1 }] },
    'invalid_request',
    'features.0.allowance',
  ],
  ['half a seat', { features: [{ ...seats, limit: 0.5 }] }, 'invalid_request', 'features.0.limit'],
  [
    'too much',
    { features: [{ ...calls, allowance: 1_000_000_000_001 }] },
    'invalid_request',
    'features.0.allowance',
  ],
  ['a code twice', { features: [calls, calls] }, 'invalid_request', 'features.1.feature_code'],
  ['both settings', { features: [{ ...calls, limit: 1 }] }, 'invalid_request', 'features.0.limit'],
  [
    'a rollover of 13 periods',
    { features: [{ ...calls, rollover: { periods: 13 } }] },
    'invalid_request',
    'features.0.rollover.periods',
  ],
  [
    'a limit of overage that is denied',
    { features: [{ ...calls, overage_limit: 5 }] },
    'invalid_request',
    'features.0.overage_limit',
  ],
  [
    'a value of more than 4 KB',
    { features: [{ ...seats, value: 'x'.repeat(4_097) }] },
    'invalid_request',
    'features.0.value',
  ],
  ['an unknown setting', { features: [{ ...seats, color: 'red' }] }, 'invalid_request', 'features.0.color'],
  [
    'more than 200 codes in all',
    { feature_codes: Array.from({ length: 200 }, (_, i) => `code_${i}`), features: [seats] },
    'invalid_request',
    'features',
  ],
];

test.each(refusals)('%s is refused at making and at changing', async (_what, fields, code, path) => {
  const errors = path === undefined ? {} : { errors: [{ path }] };
  expect((await create(fields).expect(400)).body).toMatchObject({ code, ...errors });
  const made = await create({ feature_codes: ['export'] }).expect(201);
  const refused = await commerce.admin('patch', products(made.body.product_id), fields).expect(400);
  expect(refused.body).toMatchObject({ code, ...errors });
  const { body } = await commerce.admin('get', products(made.body.product_id));
  expect(body).toEqual(made.body);
});

test('a code may be called as a field of every object', async () => {
  for (const code of ['constructor', 'toString']) {
    await commerce
      .admin('post', `/projects/${projectId}/features`, { feature_code: code, kind: 'limit' })
      .expect(201);
    const made = await create({ features: [{ feature_code: code, limit: 1 }] }).expect(201);
    expect(made.body.features).toMatchObject([{ feature_code: code, limit: 1 }]);
  }
  expect(shown(await create({ feature_codes: ['valueOf'] }).expect(201)).features).toEqual([]);
});
