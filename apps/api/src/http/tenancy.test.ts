import { waitFor } from '@billing/testing';
import { endpoints } from '../app.ts';
import { accessKindOf } from './define-endpoint.ts';
import { fill, inBody, inQuery, places, subscriptionCases, usageCases } from './tenancy.test-support.ts';
import type { Answer, Place, ProjectCase, Tenant } from './tenancy.test-support.ts';
import { giveSubscription } from '../testing/sources.test-support.ts';
import { subscribe } from '../testing/subscribe.test-support.ts';
import { startCommerce, uniqueId } from '../testing/start-commerce.test-support.ts';
import type { Commerce } from '../testing/start-commerce.test-support.ts';
import { testAdmin } from '../testing/start-test-api.test-support.ts';

let api: Commerce;
let a: Tenant;
let b: Tenant;
let revokedKey: string;
let expiredKey: string;

async function createTenant(marker: string): Promise<Tenant> {
  const project = await api.createProject();
  const sold = await api.sell(project.projectId, { featureCodes: [`only-${marker}`] });
  const { projectId } = project;
  await api.deps.database.feature.createMany({
    data: [
      { projectId, featureCode: 'calls', kind: 'metered' },
      { projectId, featureCode: 'seats', kind: 'limit', counted: true },
    ],
  });
  return { ...project, ...sold };
}

beforeAll(async () => {
  api = await startCommerce();
  [a, b] = await Promise.all([createTenant('a'), createTenant('b')]);
  const { keyId, apiKey } = await api.createApiKey(a.projectId);
  revokedKey = apiKey;
  await api.admin('delete', `/projects/${a.projectId}/api-keys/${keyId}`).expect(204);
  ({ apiKey: expiredKey } = await api.createApiKey(a.projectId, { expiresAt: new Date(Date.now() - 1) }));
});
afterAll(() => api.close());

/** A user of this name in both projects, with a feature in each that the other must not see. */
async function giveBoth(): Promise<string> {
  const userId = uniqueId('user');
  for (const [tenant, marker] of [
    [a, 'a'],
    [b, 'b'],
  ] as const) {
    const grant = {
      project_id: tenant.projectId,
      user_id: userId,
      feature_code: `only-${marker}`,
      reason: 'test',
    };
    await api.admin('post', '/grant', grant).expect(201);
    const customer = { user_id: userId, stripe_customer_id: (await api.stripe.customers.create({})).id };
    await api.admin('post', `/projects/${tenant.projectId}/customers`, customer).expect(201);
  }
  return userId;
}

/** Only what is cached needs a user whom nobody has asked for: all others share one. */
let shared: Promise<string> | undefined;
const userOf = ({ isCached }: ProjectCase): Promise<string> =>
  isCached === true ? giveBoth() : (shared ??= giveBoth());

async function send(token: string | null, method: string, path: string, body?: string): Promise<Answer> {
  const response = await fetch(api.url + path, {
    method,
    headers: {
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body }),
  });
  const text = await response.text();
  const code = /"code":"(\w+)"/.exec(text)?.[1];
  return {
    status: response.status,
    code,
    text: text.replace(/"request_id":"[^"]*"/, ''),
    cache: response.headers.get('x-cache'),
  };
}

/** The project ids to send, in this order. */
const projectsAt: Record<Place, (own: Tenant, foreign: Tenant) => string[]> = {
  own: (own) => [own.projectId],
  foreign: (_own, foreign) => [foreign.projectId],
  absent: () => [],
  twice: (own, foreign) => [foreign.projectId, own.projectId],
  unknown: () => [`project_unknown`],
};

const calls = {
  grant: (fields: object) => api.admin('post', '/grant', fields).expect(201),
  subscribe: ({ projectId, stripePriceId }: Tenant) =>
    subscribe(api, { projectId, userId: uniqueId('user'), stripePriceIds: [stripePriceId] }),
  send,
};

/** Every call with a project API key. */
const projectCases: Record<string, ProjectCase> = {
  'get /api/v1/entitlements': {
    call: (token, { projects, userId }) =>
      send(token, 'GET', `/api/v1/entitlements?user_id=${userId}${inQuery(projects)}`),
    places,
    twice: 400,
    isCached: true,
  },
  'post /api/v1/entitlements/batch': {
    call: (token, { projects, userId }) =>
      send(token, 'POST', '/api/v1/entitlements/batch', inBody(projects, { user_ids: [userId, 'x'] })),
    places,
    twice: 200,
    isCached: true,
  },
  'post /api/v1/checkout/create': {
    call: (token, { own, projects }) =>
      send(token, 'POST', '/api/v1/checkout/create', inBody(projects, api.order(own.priceId))),
    places,
    twice: 200,
  },
  'post /api/v1/portal/create-session': {
    call: (token, { projects, userId }) => {
      const fields = { user_id: userId, return_url: 'https://app.example.com/' };
      return send(token, 'POST', '/api/v1/portal/create-session', inBody(projects, fields));
    },
    places,
    twice: 200,
  },
  'post /api/v1/customers/confirm': {
    call: async (token, { own, projects, userId }) => {
      const owner = { projectId: own.projectId, userId };
      const given = await giveSubscription(api.deps.database, owner, { stripePriceId: 'price_of_nobody' });
      const fields = { user_id: userId, source_id: given.result };
      return send(token, 'POST', '/api/v1/customers/confirm', inBody(projects, fields));
    },
    places,
    twice: 200,
  },
  ...usageCases(calls),
  ...subscriptionCases(calls),
  'get /api/v1/metrics/project/{project_id}': {
    call: (token, { projects }) => send(token, 'GET', `/api/v1/metrics/project/${projects.at(-1)}`),
    places: ['own', 'foreign', 'unknown'],
    twice: 0,
  },
};

const routesOf = (kind: 'project' | 'admin'): string[] =>
  endpoints
    .filter((endpoint) => accessKindOf(endpoint) === kind)
    .map(({ method, path }) => `${method} ${path}`);
const adminRoutes = routesOf('admin');

test('every route with a project key is in this table', () => {
  expect(routesOf('project').sort()).toEqual(Object.keys(projectCases).sort());
});

const cells = Object.entries(projectCases).flatMap(([route, each]) =>
  each.places.map((place) => [route, place, each] as const),
);

const expected = (place: Place, { twice }: ProjectCase): number =>
  ({ own: 200, absent: 200, foreign: 403, unknown: 403, twice })[place];

describe('a project API key', () => {
  describe.each(['A', 'B'] as const)('of %s', (name) => {
    test.each(cells)('%s, %s project', async (_route, place, each) => {
      const [own, foreign] = name === 'A' ? [a, b] : [b, a];
      const userId = await userOf(each);
      for (const warmth of ['miss', 'hit']) {
        const answer = await each.call(own.apiKey, {
          own,
          projects: projectsAt[place](own, foreign),
          userId,
        });
        expect(answer.status).toBe(expected(place, each));
        expect(answer.code).toBe(
          { 200: undefined, 400: 'invalid_request', 403: 'project_mismatch' }[answer.status],
        );
        expect(answer.text).not.toContain(`only-${name === 'A' ? 'b' : 'a'}`);
        expect(answer.text).not.toContain(foreign.projectId);
        expect(each.isCached === true && answer.status === 200 ? answer.cache : warmth).toBe(warmth);
        // The batch asks for a second user, who is cold at first only.
      }
    });
  });

  test.each(cells.filter(([, place]) => place === 'foreign'))(
    '%s: a foreign project is answered like an unknown one',
    async (_route, _place, each) => {
      const userId = await userOf(each);
      const foreign = await each.call(a.apiKey, { own: a, projects: [b.projectId], userId });
      const unknown = await each.call(a.apiKey, { own: a, projects: ['project_unknown'], userId });
      expect(unknown).toEqual(foreign);
    },
  );

  test.each(cells)(
    '%s, %s project: admin secret, revoked and expired keys and no key are 401, before anything else',
    async (_route, place, each) => {
      const userId = await userOf(each);
      const asked = { own: a, projects: projectsAt[place](a, b), userId };
      for (const warmth of ['cold', 'warm']) {
        for (const [token, code] of [
          [testAdmin.secret, 'invalid_api_key'],
          [revokedKey, 'invalid_api_key'],
          [expiredKey, 'invalid_api_key'],
          [`${a.apiKey}x`, 'invalid_api_key'],
          [null, 'missing_api_key'],
        ] as const)
          expect([warmth, await each.call(token, asked)]).toMatchObject([warmth, { status: 401, code }]);
        // From here on a cache that answers before authentication would show.
        await each.call(a.apiKey, { ...asked, projects: [a.projectId] });
      }
    },
  );

  test.each(Object.entries(projectCases))(
    '%s: of a project that is switched off, 403',
    async (_route, each) => {
      const off = await createTenant('off');
      const asked = { own: off, projects: [off.projectId], userId: uniqueId('user') };
      await each.call(off.apiKey, asked);
      await api.admin('patch', `/projects/${off.projectId}`, { is_active: false }).expect(200);
      await waitFor(async () => (await each.call(off.apiKey, asked)).code === 'project_inactive', {
        what: 'the switch to be seen',
        timeoutMs: 5_000,
      });
      expect(await each.call(off.apiKey, { ...asked, userId: uniqueId('cold') })).toMatchObject({
        status: 403,
      });
    },
  );
});

const inProjectA = (method: 'get' | 'patch' | 'delete', path: string, body?: object) =>
  api.admin(method, `/projects/${a.projectId}${path}`, body);

describe('admin calls', () => {
  test.each(adminRoutes)('%s: no project key may do it, nor learn what exists', async (route) => {
    const answers = new Set<string>();
    for (const projectId of [a.projectId, b.projectId, 'project_unknown', '%00'])
      for (const token of [a.apiKey, b.apiKey, revokedKey]) {
        const [method, path] = fill(route, projectId);
        const answer = await send(token, method, path, method === 'GET' ? undefined : '{"nonsense":');
        answers.add(JSON.stringify(answer));
      }
    expect(answers.size).toBe(1);
    expect([...answers][0]).toContain('invalid_api_key');
    expect(await send(null, ...fill(route, a.projectId))).toMatchObject({
      status: 401,
      code: 'missing_api_key',
    });
  });

  test.each(adminRoutes.filter((route) => route.startsWith('get') && route.includes('{project_id}')))(
    '%s: an unknown project is 404',
    async (route) => {
      expect(await send(testAdmin.secret, ...fill(route, 'project_unknown'))).toMatchObject({ status: 404 });
    },
  );

  test("one project's path does not lead to another's objects", async () => {
    expect((await inProjectA('get', `/products/${b.productId}`)).body.code).toBe('product_not_found');
    expect((await inProjectA('patch', `/products/${b.productId}`, { is_archived: true })).body.code).toBe(
      'product_not_found',
    );
    expect((await inProjectA('get', `/prices/${b.priceId}`)).body.code).toBe('price_not_found');
    expect((await inProjectA('patch', `/prices/${b.priceId}`, { is_archived: true })).body.code).toBe(
      'price_not_found',
    );
    expect((await inProjectA('delete', `/api-keys/${b.keyId}`)).body.code).toBe('api_key_not_found');
    expect(await send(b.apiKey, 'GET', '/api/v1/entitlements?user_id=u')).toMatchObject({ status: 200 });
    const lists = await Promise.all(
      ['/products', '/prices', '/api-keys'].map((path) => inProjectA('get', path)),
    );
    expect(JSON.stringify(lists.map(({ body }) => body as object))).not.toContain(b.projectId);
  });
});

describe("another project's objects are answered like unknown ones", () => {
  test('prices at the checkout, by either id', async () => {
    const buy = (priceId: string) =>
      send(a.apiKey, 'POST', '/api/v1/checkout/create', JSON.stringify(api.order(priceId)));
    const unknown = await buy('price_unknown');
    expect(unknown).toMatchObject({ status: 404, code: 'price_not_found' });
    expect(await buy(b.priceId)).toEqual(unknown);
    expect(await buy(b.stripePriceId)).toEqual(unknown);
  });

  test('customers at the portal', async () => {
    const userId = uniqueId('user');
    const customer = { user_id: userId, stripe_customer_id: (await api.stripe.customers.create({})).id };
    await api.admin('post', `/projects/${b.projectId}/customers`, customer).expect(201);
    const open = (of: string) =>
      send(
        a.apiKey,
        'POST',
        '/api/v1/portal/create-session',
        JSON.stringify({ user_id: of, return_url: 'https://a.example/' }),
      );
    expect(await open(userId)).toEqual(await open('nobody'));
  });
});

describe('scopes', () => {
  const scopeOf = (route: string): 'read' | 'checkout' | 'usage' => {
    if (/^p\w+ \/api\/v1\/usage/.test(route)) return 'usage';
    return /checkout|portal|customers|^(?:post|delete) .*subscriptions.*(?<!preview)$/.test(route)
      ? 'checkout'
      : 'read';
  };

  test.each(Object.entries(projectCases))('%s wants the right one', async (route, each) => {
    const userId = await userOf(each);
    for (const scope of ['read', 'checkout', 'usage'] as const) {
      const { body } = await api
        .admin('post', `/projects/${a.projectId}/api-keys`, { scopes: [scope] })
        .expect(201);
      const answer = await each.call(body.api_key as string, { own: a, projects: [a.projectId], userId });
      const wanted = scope === scopeOf(route) ? { status: 200 } : { status: 403, code: 'insufficient_scope' };
      expect(answer).toMatchObject(wanted);
    }
  });
});
