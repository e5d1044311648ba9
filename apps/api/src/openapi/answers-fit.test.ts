import { dayMs, timelineKinds, webhookDeliveryStatuses } from '@billing/domain';
import { testAdmin } from '../testing/start-test-api.test-support.ts';
import { recordUsage } from '../endpoints/usage/record-usage.ts';
import { uniqueId } from '../testing/start-commerce.test-support.ts';
import type { Endpoint } from '../http/define-endpoint.ts';
import { endpoints } from '../app.ts';
import { answersOf, pathParameterNames } from '../http/define-endpoint.ts';
import { callEndpoint } from './testing/call-endpoint.test-support.ts';
import type { Call, Called } from './testing/call-endpoint.test-support.ts';
import { startSeededApi } from './testing/start-seeded-api.test-support.ts';
import type { SeededApi } from './testing/start-seeded-api.test-support.ts';

let seeded: SeededApi;
beforeAll(async () => {
  seeded = await startSeededApi();
});
afterAll(() => seeded.close());

const the = (name: string): string => seeded.known[name]?.[0] ?? '';
const all = (name: string): readonly string[] => seeded.known[name] ?? [];

const metered = (more: Record<string, unknown>) => ({ feature_code: 'api_calls', ...more });

const changeOfPlan = (quantity: number): Call => ({
  body: { items: [{ price_id: the('price_id'), quantity }] },
});

const checks = (): Call[] =>
  ['api_calls', 'seats', 'monthly'].map((code) => ({
    query: { user_id: the('user_id'), feature_code: code },
  }));

const series = (): Call => ({
  query: {
    ...metered({ by: 'hour' }),
    user_id: the('user_id'),
    from: new Date(Date.now() - dayMs).toISOString(),
    to: new Date(Date.now() + dayMs).toISOString(),
  },
});

/** Calls that succeed, as changes to the example with ids that exist; by the status, if several do. Absent: that example is enough. */
const changes: Record<string, () => Call[]> = {
  checkEntitlements: () => [
    { query: { user_id: the('user_id') } },
    { query: { user_id: the('user_id'), explain: 'true' } },
    { query: { user_id: the('user_id'), feature_code: 'monthly' } },
    { query: { user_id: 'unknown user' } },
  ],
  // Not the endpoint of other calls: it is deleted here.
  deleteWebhookEndpoint: () => [{ path: { endpoint_id: all('endpoint_id')[1] } }],
  listWebhookDeliveries: () => [
    {},
    ...webhookDeliveryStatuses.map((status) => ({ query: { status } })),
    { query: { user_id: the('user_id') } },
  ],
  getWebhookMessage: () => all('message_id').map((one) => ({ path: { message_id: one } })),
  previewSubscriptionChange: () => [changeOfPlan(2), changeOfPlan(1)],
  changeSubscription: () => [
    changeOfPlan(2),
    { ...changeOfPlan(1), headers: { 'Idempotency-Key': uniqueId('change') } },
  ],
  listSubscriptions: () => [{ query: { user_id: the('user_id') } }],
  createCheckout: () => [
    { body: { user_id: uniqueId('user') } },
    { body: { user_id: uniqueId('user') }, headers: { 'Idempotency-Key': uniqueId('order') } },
    {
      body: {
        user_id: uniqueId('user'),
        price_id: undefined,
        quantity: undefined,
        items: [{ price_id: the('price_id') }, { price_id: all('price_id')[1], quantity: 2 }],
        ui_mode: 'embedded',
        return_url: 'https://app.example.com/thanks',
        success_url: undefined,
        cancel_url: undefined,
      },
    },
  ],
  receiveStripeWebhook: () => [{}, { body: { id: 'evt_thin', object: 'v2.core.event' } }],
  createProject: () => [{ body: { project_id: uniqueId('project') } }],
  createFeature: () => [{ body: { feature_code: uniqueId('feature') } }],
  getFeature: () => [{ path: { feature_code: 'api_calls' } }],
  patchFeature: () => [{ path: { feature_code: 'api_calls' } }],
  createProduct: () => [{ body: { product_id: uniqueId('product') } }],
  createPrice: () => [{ body: { price_id: uniqueId('ours'), stripe_price_id: uniqueId('price') } }],
  // Not the price that the checkout sells: it is archived here.
  patchPrice: () => [{ path: { price_id: all('price_id')[1] } }],
  // Nobody has it.
  deletePrice: () => [{ path: { price_id: all('price_id')[2] } }],
  mapCustomer: () => [{ body: { stripe_customer_id: uniqueId('cus') } }],
  findUsers: () =>
    ['user_id', 'subscription_id', 'stripe_customer_id'].map((one) => ({ query: { query: the(one) } })),
  assignObject: () => [
    {},
    { body: { subscription_id: undefined, payment_intent_id: the('payment_intent_id') } },
  ],
  listInvoices: () => [{ query: { user_id: the('user_id') } }],
  checkUsage: () => checks(),
  checkUserUsage: () => checks(),
  recordUsage: () => [
    { body: metered({ event_id: uniqueId('used') }) },
    { body: metered({ event_id: uniqueId('used'), quantity: 1_000_000 }) },
  ],
  setUsageLevel: () => [
    {
      body: {
        feature_code: 'seats',
        level: 3,
        event_id: uniqueId('level'),
        observed_at: new Date().toISOString(),
      },
    },
  ],
  getUsage: () => [series()],
  getUserUsage: () => [series()],
  listTopUsers: () => [{ query: metered({}) }],
  listTimeline: () => [{}, ...timelineKinds.map((kind) => ({ query: { kind } }))],
  listRevenueDays: () => [{ query: { project_id: the('project_id') } }],
  getEvent: () => all('event_id').map((event) => ({ path: { event_id: event } })),
  listUsageEvents: () => [{ query: metered({ user_id: the('user_id') }) }],
  listUserUsageEvents: () => [{ query: metered({ user_id: the('user_id') }) }],
  createReservation: () => [
    { body: metered({ reservation_id: uniqueId('held') }) },
    { body: metered({ reservation_id: uniqueId('held'), quantity: 1_000_000 }) },
  ],
  confirmReservation: () => [{ path: { reservation_id: all('reservation_id')[1] }, body: { quantity: 10 } }],
  releaseReservation: () => [{ path: { reservation_id: all('reservation_id')[2] } }],
  adjustUsage: () => [{ body: metered({ quantity: 1 }) }],
  eraseUser: () => [{ body: { user_id: uniqueId('user') } }],
  exportUser: () => [{}, { body: { user_id: uniqueId('user') } }],
  listEvents: () => [
    {},
    ...['applied', 'stale', 'ignored', 'quarantined', 'failed'].map((status) => ({ query: { status } })),
  ],
  getRun: () => all('run_id').map((run) => ({ path: { run_id: run } })),
  createConsoleSession: () => [{ body: testAdmin }],
  replayEvent: () => all('event_id').map((event) => ({ path: { event_id: event } })),
};

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The example of a call, with ids that exist. */
function exampleOf({ path, body }: Endpoint): Call {
  const example = isObject(body?.example) ? body.example : {};
  const withKnown = Object.entries(example).map(([name, value]) => [name, seeded.known[name]?.[0] ?? value]);
  return {
    path: Object.fromEntries(pathParameterNames(path).map((name) => [name, the(name)])),
    body: body === undefined ? undefined : Object.fromEntries(withKnown),
  };
}

function callsOf(endpoint: Endpoint): Call[] {
  const example = exampleOf(endpoint);
  return (changes[endpoint.operationId]?.() ?? [{}]).map(({ path, body, ...more }) => ({
    path: { ...example.path, ...path },
    body: isObject(example.body) && isObject(body) ? { ...example.body, ...body } : example.body,
    ...more,
  }));
}

const queuedStatus = 202;

/** The calls that are answered with a status; dry runs first, before anything is changed. */
function callsAnswered(endpoint: Endpoint, status: number): Call[] {
  const own = endpoint.answers.some((answer) => answer.status === status) ? callsOf(endpoint) : [];
  if (status === queuedStatus)
    return endpoint === recordUsage
      ? own.map((call) => ({ ...call, body: { ...Object(call.body), mode: 'record' } }))
      : own;
  if (endpoint.takesDryRun === undefined || status !== 200) return own;
  const tried = callsOf(endpoint).map((call) =>
    isObject(call.body)
      ? { ...call, body: { ...call.body, dry_run: true } }
      : { ...call, query: { dry_run: 'true' } },
  );
  return [...tried, ...own];
}

const isEmptyList = ({ body }: Called): boolean =>
  isObject(body) && Array.isArray(body['data']) && body['data'].length === 0;

describe('each described answer was received, and fits its description', () => {
  const cells = endpoints.flatMap((endpoint) =>
    answersOf(endpoint)
      .map(({ status }) => [endpoint.operationId, status, endpoint] as const)
      .toSorted(([, one], [, other]) => one - other),
  );

  test.each(cells)('%s: %d', async (operationId, status, endpoint) => {
    const answered = async (): Promise<Called[]> => {
      const calls: Called[] = [];
      for (const call of callsAnswered(endpoint, status))
        calls.push(await callEndpoint(seeded, endpoint, call));
      return calls;
    };
    const isUnready = operationId === 'getReadiness' && status === 503;
    const isQueued = endpoint === recordUsage && status === queuedStatus;
    const calls = isUnready
      ? await seeded.withoutMigrations(answered)
      : isQueued
        ? await seeded.withoutPostgres(answered)
        : await answered();
    expect(calls).not.toEqual([]);
    for (const called of calls) {
      expect([called.shown, called.status, called.complaints]).toEqual([called.shown, status, []]);
      // An empty list fits any description.
      expect([called.shown, isEmptyList(called)]).toEqual([called.shown, false]);
    }
  });
});

test('the answer to a check that was compared with its description has a source of every kind', async () => {
  const endpoint = endpoints.find(({ operationId }) => operationId === 'checkEntitlements');
  if (endpoint === undefined) throw new Error('the check is not described');
  const query = { user_id: the('user_id'), explain: 'true' };
  const { body } = await callEndpoint(seeded, endpoint, { query });
  const { explanation } = body as { explanation: { source: string }[] };
  const sources = new Set(explanation.map(({ source }) => source));
  expect([...sources].sort()).toEqual(['manual', 'purchase', 'subscription']);
});
