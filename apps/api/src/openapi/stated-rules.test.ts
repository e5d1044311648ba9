import { endpoints } from '../app.ts';
import type { Endpoint } from '../http/define-endpoint.ts';
import { uniqueId } from '../testing/start-commerce.test-support.ts';
import { callEndpoint, check, closedDocument } from './testing/call-endpoint.test-support.ts';
import type { Call } from './testing/call-endpoint.test-support.ts';
import { checkoutRows } from './testing/stated-checkout-rules.test-support.ts';
import { featureRows } from './testing/stated-feature-rules.test-support.ts';
import type { StatedRow } from './testing/stated-feature-rules.test-support.ts';
import { startSeededApi } from './testing/start-seeded-api.test-support.ts';
import type { SeededApi } from './testing/start-seeded-api.test-support.ts';
import { usageRows, usageTimes } from './testing/stated-usage-rules.test-support.ts';
import type { TimeRow } from './testing/stated-usage-rules.test-support.ts';
import { rulesFor, statedRules } from './testing/stated-rules.test-support.ts';

type Schema = { description?: string; properties?: Record<string, Schema>; $ref?: string };
type Operation = {
  parameters?: (Schema & { name: string })[];
  requestBody?: { content: Record<string, { schema: Schema }> };
};
const { paths, components } = closedDocument as {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
};

let seeded: SeededApi;
beforeAll(async () => {
  seeded = await startSeededApi();
  for (const [code, kind] of [
    ['metered_here', 'metered'],
    ['limited_here', 'limit'],
  ])
    await seeded.api
      .admin('post', `/projects/${the('project_id')}/features`, { feature_code: code, kind })
      .expect(201);
});
afterAll(() => seeded.close());

const the = (name: string): string => seeded.known[name]?.[0] ?? '';

function endpointOf(operationId: string): Endpoint {
  const endpoint = endpoints.find((each) => each.operationId === operationId);
  if (endpoint === undefined) throw new Error(`no operation ${operationId}`);
  return endpoint;
}

/** What the document says of a field or parameter, its own fields included. */
function descriptionOf({ path, method }: Endpoint, name: string): string {
  const { parameters = [], requestBody } = paths[path]?.[method] ?? {};
  const [media] = Object.values(requestBody?.content ?? {});
  const reference = media?.schema.$ref?.split('/').at(-1);
  const body = reference === undefined ? media?.schema : components.schemas[reference];
  const [field = ''] = name.split('.');
  const found = parameters.find((one) => one.name === field) ?? body?.properties?.[field] ?? {};
  const text = JSON.stringify(found);
  // What the entries of a list are is a component of its own.
  const entries = [...text.matchAll(/schemas\/(\w+)"/g)].map(([, one = '']) =>
    JSON.stringify(components.schemas[one]),
  );
  return [text, ...entries].join(' ').replaceAll('\\"', '"');
}

const order = (more: object) => ({
  user_id: uniqueId('user'),
  price_id: the('price_id'),
  mode: 'subscription',
  success_url: 'https://shop.example/ok',
  cancel_url: 'https://shop.example/no',
  ...more,
});
const grant = (more: object) => ({
  user_id: 'u',
  project_id: the('project_id'),
  feature_code: 'f',
  reason: 'r',
  ...more,
});
const price = (more: object) => ({
  product_id: the('product_id'),
  stripe_price_id: uniqueId('price'),
  amount: 1,
  currency: 'usd',
  interval: 'month',
  ...more,
});
const elsewhere = { success_url: 'https://else.example/', cancel_url: 'https://else.example/' };
const prototype = { ['__proto__']: 'x' };

type Row = StatedRow;
const rotation = (at: string): Call => ({
  path: { project_id: the('project_id'), key_id: the('key_id') },
  body: { expires_at: at },
});

const rows: Row[] = [
  ...checkoutRows(order, the),
  ['redirectElsewhere', 'createCheckout', 'success_url', () => ({ body: order(elsewhere) })],
  ['redirectElsewhere', 'createCheckout', 'cancel_url', () => ({ body: order(elsewhere) })],
  [
    'redirectElsewhere',
    'createPortalSession',
    'return_url',
    () => ({ body: { user_id: the('user_id'), return_url: 'https://else.example/' } }),
  ],
  [
    'hostThatIsNone',
    'createCheckout',
    'cancel_url',
    () => ({ body: order({ cancel_url: 'https://xn--a/' }) }),
  ],
  [
    'hostThatIsNone',
    'createPortalSession',
    'return_url',
    () => ({ body: { user_id: 'u', return_url: 'https://xn--a/' } }),
  ],
  [
    'hostThatIsNone',
    'patchProject',
    'redirect_origins.0',
    () => ({ body: { redirect_origins: ['https://xn--a'] } }),
  ],
  [
    'leastAboveMost',
    'patchProject',
    'checkout_defaults.adjustable_quantity.max',
    () => ({ body: { checkout_defaults: { adjustable_quantity: { min: 2, max: 1 } } } }),
  ],
  [
    'codesThatExcludeEachOther',
    'patchProject',
    'checkout_defaults.promotion_code',
    () => ({ body: { checkout_defaults: { promotion_code: 'A', allow_promotion_codes: true } } }),
  ],
  [
    'reservedMetadata',
    'createCheckout',
    'metadata',
    () => ({ body: order({ metadata: { price_id: 'x' } }) }),
  ],
  ['prototypeAsKey', 'createCheckout', 'metadata', () => ({ body: order({ metadata: prototype }) })],
  ['halfASurrogatePair', 'createGrant', 'user_id', () => ({ body: grant({ user_id: '\ud800' }) })],
  ['halfASurrogatePair', 'createGrant', 'reason', () => ({ body: grant({ reason: '\ud800' }) })],
  ['accessDaysOfRecurringPrice', 'createPrice', 'access_days', () => ({ body: price({ access_days: 3 }) })],
  ...(['interval_count', 'usage_type'] as const).map((field): Row => {
    const more = { interval: 'one_time', [field]: field === 'usage_type' ? 'licensed' : 2 };
    return ['recurringFieldOfOneTimePrice', 'createPrice', field, () => ({ body: price(more) })];
  }),
  ...(['amount', 'currency', 'interval'] as const).map((field): Row => [
    'termsThatStripeLacks',
    'createPrice',
    field,
    () => ({ body: price({ [field]: undefined }) }),
  ]),
  [
    'oneObject',
    'assignObject',
    'subscription_id',
    () => ({
      body: { project_id: 'p', user_id: 'u', reason: 'r', session_id: 'cs_1', payment_intent_id: 'pi_1' },
    }),
  ],
  [
    'keyExpiresInThePast',
    'createApiKey',
    'expires_at',
    () => ({ body: { expires_at: '2020-01-01T00:00:00Z' } }),
  ],
  ['keyExpiresInThePast', 'rotateApiKey', 'expires_at', () => rotation('2020-01-01T00:00:00Z')],
  ['networkThatIsNone', 'createApiKey', 'allowed_ips.0', () => ({ body: { allowed_ips: ['10.0.0.0/33'] } })],
  [
    'grantEndsTooEarly',
    'createGrant',
    'valid_to',
    () => ({ body: grant({ valid_to: '2020-01-01T00:00:00Z' }) }),
  ],
  [
    'grantEndsTooEarly',
    'createGrant',
    'valid_to',
    () => ({ body: grant({ valid_from: '2030-01-01T00:00:00Z', valid_to: '2030-01-01T00:00:00Z' }) }),
  ],
  ...featureRows(grant),
  ...usageRows(the),
  [
    'windowEndsTooEarly',
    'replayEvents',
    'to',
    () => ({ body: { from: '2020-01-01T00:00:00Z', to: '2020-01-01T00:00:00Z' } }),
  ],
  ['sinceTheFuture', 'startReconcile', 'since', () => ({ body: { since: '9998-01-01T00:00:00Z' } })],
  ['noReason', 'revokeGrant', 'reason', () => ({ body: { grant_id: the('grant_id') } })],
  ['noReason', 'revokeGrant', 'revoke_reason', () => ({ body: { grant_id: the('grant_id') } })],
  [
    'twoReasons',
    'revokeGrant',
    'reason',
    () => ({ body: { grant_id: the('grant_id'), reason: 'a', revoke_reason: 'b' } }),
  ],
];

/** Every field of the document that is a time. */
const times: TimeRow[] = [
  ['createCheckout', 'trial_end', (at) => ({ body: order({ trial_end: at }) })],
  ['createGrant', 'valid_from', (at) => ({ body: grant({ valid_from: at }) })],
  ['createGrant', 'valid_to', (at) => ({ body: grant({ valid_to: at }) })],
  ['createApiKey', 'expires_at', (at) => ({ body: { expires_at: at } })],
  ['startReconcile', 'since', (at) => ({ body: { since: at } })],
  ['rotateApiKey', 'expires_at', rotation],
  ['replayEvents', 'from', (at) => ({ body: { from: at } })],
  ['replayEvents', 'to', (at) => ({ body: { to: at } })],
  ['listAudit', 'from', (at) => ({ query: { from: at } })],
  ['listAudit', 'to', (at) => ({ query: { to: at } })],
  ['listSamples', 'from', (at) => ({ query: { from: at } })],
  ['listSamples', 'to', (at) => ({ query: { to: at } })],
  ...usageTimes,
];
for (const [operationId, field, call] of times) {
  rows.push(['yearBeyond', operationId, field, () => call('1969-12-31T23:59:59Z')]);
  rows.push(['yearBeyond', operationId, field, () => call('9999-12-31T23:59:59-01:00')]);
  rows.push(['timeOtherwiseWritten', operationId, field, () => call('2027-01-01t00:00:00z')]);
}

const lists = endpoints.filter(({ query }) => Object.hasOwn(query?.shape ?? {}, 'cursor'));
/** What a list is of that is of one user. */
const listedOf: Record<string, object> = {
  listSubscriptions: { user_id: 'u' },
  listUsageEvents: { user_id: 'u', feature_code: 'f' },
  listUserUsageEvents: { user_id: 'u', feature_code: 'f' },
};
for (const { operationId } of lists)
  rows.push([
    'foreignCursor',
    operationId,
    'cursor',
    () => ({ query: { ...listedOf[operationId], cursor: '0' } }),
  ]);

test('every time that can be sent, and every list, is in the table', () => {
  const described = Object.values(paths)
    .flatMap((operations) => Object.values(operations))
    .flatMap(({ parameters = [], requestBody }) => [
      ...parameters.map((one) => JSON.stringify(one)),
      ...Object.values(requestBody?.content ?? {}).flatMap(({ schema }) => {
        const name = schema.$ref?.split('/').at(-1);
        const body = name === undefined ? schema : components.schemas[name];
        return Object.values(body?.properties ?? {}).map((one) => JSON.stringify(one));
      }),
    ]);
  expect(described.filter((one) => one.includes('"date-time"'))).toHaveLength(times.length);
  expect(lists.length).toBeGreaterThan(5);
});

test('every rule has a row', () => {
  expect(new Set(rows.map(([rule]) => rule))).toEqual(new Set(Object.keys(statedRules)));
});

test.each(rows)('%s: %s refuses %s, which fits its schema, as the document says', async (...row) => {
  const [rule, operationId, field, makeCall] = row;
  const endpoint = endpointOf(operationId);
  if (rule === 'redirectElsewhere')
    await callEndpoint(seeded, endpointOf('patchProject'), {
      path: { project_id: the('project_id') },
      body: { redirect_origins: ['https://shop.example'] },
    });

  const call = { path: { project_id: the('project_id'), endpoint_id: the('endpoint_id') }, ...makeCall() };
  expect(check.request(operationId, call)).toEqual([]);
  const { status, shown, body } = await callEndpoint(seeded, endpoint, call);
  expect([shown, status]).toEqual([shown, 400]);
  const { path, message, words } = statedRules[rule];
  const { errors } = body as { errors: { path: string; message: string }[] };
  const about = errors.filter((one) => path.test(one.path) && message.test(one.message));
  expect(about.map((one) => one.path)).toContain(rule === 'prototypeAsKey' ? '__proto__' : field);
  expect(descriptionOf(endpoint, field)).toMatch(words);
  for (const one of errors) expect(rulesFor(one)).not.toEqual([]);
});

test.each(
  endpoints
    .filter(({ access }) => typeof access === 'object' && 'project' in access)
    .filter((endpoint) => descriptionOf(endpoint, 'project_id') !== '{}' && !endpoint.path.includes('{'))
    .map(({ operationId }) => operationId),
)('%s says that project_id must be that of the key', (operationId) => {
  expect(descriptionOf(endpointOf(operationId), 'project_id')).toContain(
    'must be the project of the API key',
  );
});

describe('a boolean in a query', () => {
  const [yes, no] = ['true True TRUE 1'.split(' '), 'false False FALSE 0'.split(' ')];
  const flags = endpoints.flatMap((endpoint) =>
    (paths[endpoint.path]?.[endpoint.method]?.parameters ?? [])
      .filter((one) => JSON.stringify(one).includes('"boolean"'))
      .map(({ name }) => [endpoint.operationId, name] as const),
  );
  const answerTo = (operationId: string, name: string, word: string) =>
    callEndpoint(seeded, endpointOf(operationId), {
      // Nothing that exists: a change is not to be made here.
      path: { project_id: the('project_id'), price_id: 'none', key_id: 'none' },
      query: {
        ...(endpointOf(operationId).method === 'get' ? { user_id: the('user_id') } : {}),
        [name]: word,
      },
    });

  test.each(flags)('%s takes the words that the document names for %s, and no other', async (...flag) => {
    const description = descriptionOf(endpointOf(flag[0]), flag[1]);
    for (const word of [...yes, ...no]) {
      expect(description).toContain(`\`${word}\``);
      expect((await answerTo(...flag, word)).status).not.toBe(400);
    }
    for (const word of ['', 'yes', 'no', 'tRUE', 'on', '2', '-1', 'null', 'true '])
      expect([word, (await answerTo(...flag, word)).status]).toEqual([word, 400]);
  });

  test.each([...yes, ...no])('explain=%s', async (word) => {
    const { body } = await answerTo('checkEntitlements', 'explain', word);
    expect(Object.hasOwn(Object(body), 'explanation')).toBe(yes.includes(word));
  });
});
