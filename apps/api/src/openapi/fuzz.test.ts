import * as fc from 'fast-check';
import { Stripe } from 'stripe';
import { startCommerce, uniqueId } from '../testing/start-commerce.test-support.ts';
import type { Commerce } from '../testing/start-commerce.test-support.ts';
import { createSchemaCheck } from '../testing/schema-check.test-support.ts';
import { testAdmin, testWebhookSecret } from '../testing/start-test-api.test-support.ts';
import { createOpenApiDocument } from './create-document.ts';
import type { Endpoint } from './endpoint.ts';
import { endpoints } from './endpoints/all.ts';
import { arbitraryOf } from './arbitrary.test-support.ts';
import { pathParameterNames } from './parameters.ts';

/** How many requests in all; `FUZZ_REQUESTS=10000` for a long run, `FUZZ_SEED` for the same again. */
const requests = Number(process.env['FUZZ_REQUESTS'] ?? 1_200);
const seed = Number(process.env['FUZZ_SEED'] ?? Date.now() % 2 ** 31);

type Schema = Record<string, unknown>;
type Parameter = { name: string; in: string; required: boolean; schema: Schema };
type Operation = { parameters?: Parameter[]; requestBody?: { content: Record<string, { schema: Schema }> } };

const document = createOpenApiDocument({ isClosed: true }) as {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
};
const { schemas } = document.components;
const check = createSchemaCheck(document);

let api: Commerce;
/** How often each status was met. */
const met = new Map<number, number>();
/** What exists, so that generated requests meet it. */
let known: Record<string, string[]>;
let apiKey: string;

beforeAll(async () => {
  api = await startCommerce();
  const project = await api.createProject();
  ({ apiKey } = project);
  const [monthly, once] = [
    await api.sell(project.projectId),
    await api.sell(project.projectId, { interval: 'one_time' }),
  ];
  const userId = uniqueId('user');
  await api
    .admin('post', `/projects/${project.projectId}/customers`, {
      user_id: userId,
      stripe_customer_id: (await api.stripe.customers.create({})).id,
    })
    .expect(201);
  const grant = { user_id: userId, project_id: project.projectId, feature_code: 'f', reason: 'r' };
  const { body } = await api.admin('post', '/grant', grant).expect(201);
  known = {
    project_id: [project.projectId],
    user_id: [userId],
    price_id: [monthly.priceId, once.priceId],
    product_id: [monthly.productId],
    stripe_price_id: [monthly.stripePriceId],
    grant_id: [body.grant_id as string],
    key_id: [project.keyId],
    feature_code: ['f', 'premium'],
  };
});
afterAll(() => api.close());

const describedAs = ({ path, method }: Endpoint): Operation => document.paths[path]?.[method] ?? {};

const { webhooks } = new Stripe('sk_test_signing');
const signatureOf = (payload: string): string =>
  webhooks.generateTestHeaderString({ payload, secret: testWebhookSecret });

/** Events of types that are handled, with objects of any content. */
const stripeEvent = fc.record(
  {
    id: fc.oneof(fc.stringMatching(/^evt_[A-Za-z0-9]{8,20}$/), fc.string({ maxLength: 300 })),
    object: fc.constantFrom('event', 'v2.core.event'),
    type: fc.constantFrom(
      'customer.subscription.updated',
      'checkout.session.completed',
      'invoice.paid',
      'charge.refunded',
      'made.up',
    ),
    created: fc.oneof(fc.integer(), fc.double(), fc.string()),
    livemode: fc.boolean(),
    account: fc.string(),
    data: fc.record({
      object: fc.oneof(
        fc.dictionary(
          fc.constantFrom(
            'id',
            'object',
            'customer',
            'status',
            'items',
            'metadata',
            'created',
            '__proto__',
            'x',
          ),
          fc.jsonValue({ maxDepth: 5 }),
        ),
        fc.jsonValue(),
      ),
    }),
  },
  { requiredKeys: ['id', 'type', 'data'] },
);

type Drawn = {
  path: Record<string, unknown>;
  query: Record<string, unknown>;
  body: unknown;
  useKnown: boolean;
};

function requestOf(endpoint: Endpoint): fc.Arbitrary<Drawn> {
  const { parameters = [], requestBody } = describedAs(endpoint);
  const valuesOf = (place: string) =>
    fc.record(
      Object.fromEntries(
        parameters
          .filter((each) => each.in === place)
          .map(({ name, schema }) => [name, arbitraryOf(schema, schemas)]),
      ),
      {
        requiredKeys: parameters
          .filter((each) => each.required)
          .map(({ name }) => name)
          .filter((name) => parameters.some((each) => each.name === name && each.in === place)),
      },
    );
  const [media] = Object.values(requestBody?.content ?? {});
  return fc.record({
    path: valuesOf('path'),
    query: valuesOf('query'),
    body:
      media === undefined
        ? fc.constant(undefined)
        : endpoint.access === 'stripe'
          ? stripeEvent
          : arbitraryOf(media.schema, schemas),
    useKnown: fc.boolean(),
  });
}

/** Puts what exists where it belongs: generated names would never meet it. */
function withKnown(values: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      name,
      known[name]?.[String(value).length % known[name].length] ?? value,
    ]),
  );
}

const asText = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));
/** Lone surrogates have no percent encoding. */
const encode = (value: unknown): string => encodeURIComponent(asText(value).replaceAll(/\p{Cs}/gu, '\ufffd'));

async function send(
  endpoint: Endpoint,
  drawn: Drawn,
): Promise<{ request: string; complaints: string[]; status: number }> {
  const isObject = typeof drawn.body === 'object' && drawn.body !== null && !Array.isArray(drawn.body);
  const path = drawn.useKnown ? withKnown(drawn.path) : drawn.path;
  const query = drawn.useKnown ? withKnown(drawn.query) : drawn.query;
  const body = drawn.useKnown && isObject ? withKnown(drawn.body as Record<string, unknown>) : drawn.body;
  const filled = pathParameterNames(endpoint.path).reduce(
    // An empty one would be another route; a dot segment is resolved by the client.
    (url, name) => url.replace(`{${name}}`, encode(path[name]).replace(/^\.{0,2}$/, 'x')),
    endpoint.path,
  );
  const search = Object.entries(query)
    .map(([name, value]) => `${name}=${encode(value)}`)
    .join('&');
  const url = `${filled}${search === '' ? '' : `?${search}`}`;
  const token = endpoint.access === 'admin' ? testAdmin.secret : apiKey;
  const payload = JSON.stringify(body);
  const response = await fetch(api.url + url, {
    method: endpoint.method.toUpperCase(),
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(endpoint.access === 'stripe' ? { 'stripe-signature': signatureOf(payload) } : {}),
    },
    ...(body === undefined ? {} : { body: payload }),
  });
  const text = await response.text();
  met.set(response.status, (met.get(response.status) ?? 0) + 1);
  const contentType = response.headers.get('content-type') ?? '';
  const isJson = contentType.includes('json');
  const complaints = check.answer(endpoint.operationId, {
    status: response.status,
    body: isJson ? (JSON.parse(text) as unknown) : text,
    ...(text === '' ? {} : { contentType }),
  });
  if (response.status >= 500 && !mayFail(endpoint, response.status))
    complaints.push(`answered ${response.status}`);
  return {
    request: `${endpoint.method} ${url} ${JSON.stringify(body)} → ${response.status} ${text.slice(0, 500)}`,
    complaints,
    status: response.status,
  };
}

/** No worker runs here, so a replay is answered by nobody; no metadata makes Stripe refuse what we let pass. */
const mayFail = ({ operationId }: Endpoint, status: number): boolean =>
  operationId === 'replayEvent' && status === 503;

// The key of this test, the 15 s that a replay waits for, and pages that are no JSON.
const leftOut = new Set(['revokeApiKey', 'replayEvent', 'patchProject', 'queues']);
const fuzzed = endpoints.filter(({ operationId }) => !leftOut.has(operationId));
const runsEach = Math.ceil(requests / fuzzed.length);

test.each(fuzzed.map((endpoint) => [endpoint.operationId, endpoint] as const))(
  '%s: whatever is sent, the answer fits its description, and is no server error',
  async (_operationId, endpoint) => {
    await fc.assert(
      fc.asyncProperty(requestOf(endpoint), async (drawn) => {
        const { request, complaints } = await send(endpoint, drawn);
        expect(complaints.length === 0 ? [] : [request, ...complaints]).toEqual([]);
      }),
      { numRuns: runsEach, seed, endOnFailure: requests > 5_000 },
    );
  },
  120_000 + requests * 100,
);

test('the inactive project and the revoked key come last', async () => {
  const [projectId = ''] = known['project_id'] ?? [];
  for (const operationId of ['patchProject', 'revokeApiKey']) {
    const endpoint = endpoints.find((each) => each.operationId === operationId);
    if (endpoint === undefined) throw new Error(operationId);
    await fc.assert(
      fc.asyncProperty(requestOf(endpoint), async (drawn) => {
        const { request, complaints } = await send(endpoint, {
          ...drawn,
          path: { ...drawn.path, project_id: projectId },
        });
        expect(complaints.length === 0 ? [] : [request, ...complaints]).toEqual([]);
      }),
      { numRuns: runsEach, seed },
    );
  }
});

test('the requests were right often enough to get through, and wrong often enough to be refused', () => {
  for (const status of [200, 201, 202, 400, 403, 404, 409]) expect([...met.keys()]).toContain(status);
  const through = [200, 201, 202].reduce((sum, status) => sum + (met.get(status) ?? 0), 0);
  const all = [...met.values()].reduce((sum, count) => sum + count, 0);
  expect(through / all).toBeGreaterThan(0.2);
});
