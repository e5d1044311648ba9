import { startCommerce } from '../testing/start-commerce.test-support.ts';
import type { Commerce } from '../testing/start-commerce.test-support.ts';

let commerce: Commerce;
let projectId: string;
let apiKey: string;

beforeAll(async () => {
  commerce = await startCommerce();
  ({ projectId, apiKey } = await commerce.createProject());
});
afterAll(() => commerce.close());

const admin: Commerce['admin'] = (...call) => commerce.admin(...call);

describe('without an admin secret every address is 401', () => {
  const paths = [
    ['get', '/projects'],
    ['post', '/grant'],
    ['get', '/events'],
    ['get', '/nowhere'],
    ['put', '/projects'],
  ] as const;
  test.each(paths)('%s %s', async (method, path) => {
    const agent = commerce.http();
    const without = await agent[method](`/api/v1/admin${path}`).expect(401);
    expect(without.body.code).toBe('missing_api_key');
    expect(without.headers['www-authenticate']).toBe('Bearer');
    const wrong = await agent[method](`/api/v1/admin${path}`)
      .set('authorization', `Bearer ${apiKey}`)
      .expect(401);
    expect(wrong.body.code).toBe('invalid_api_key');
  });
});

describe('wrong methods are 405 and name the right ones', () => {
  test.each([
    ['/projects', 'GET, HEAD, POST'],
    ['/projects/x', 'GET, HEAD, PATCH'],
    ['/projects/x/api-keys', 'GET, HEAD, POST'],
    ['/projects/x/api-keys/y', 'DELETE'],
    ['/projects/x/products/y', 'GET, HEAD, PATCH'],
    ['/projects/x/customers', 'POST'],
    ['/grant', 'POST'],
    ['/revoke', 'POST'],
    ['/events', 'GET, HEAD'],
    ['/quarantine', 'GET, HEAD'],
    ['/audit', 'GET, HEAD'],
  ])('PUT %s', async (path, allow) => {
    const response = await admin('put', path, {}).expect(405);
    expect(response.body.code).toBe('method_not_allowed');
    expect(response.headers['allow']).toBe(allow);
  });

  test('and an unknown address is 404', async () => {
    const response = await admin('get', '/nowhere').expect(404);
    expect(response.body.code).toBe('route_not_found');
  });
});

describe('bodies are strict', () => {
  const product = { product_id: 'p', name: 'P', feature_codes: ['f'] };
  const price = {
    product_id: 'p',
    stripe_price_id: 'price_1',
    amount: 1,
    currency: 'usd',
    interval: 'month',
  };
  const grant = { user_id: 'u', project_id: 'p', feature_code: 'f', reason: 'because' };
  test.each([
    ['post', '/projects', { project_id: 'a', name: 'A', extra: 1 }, 'extra'],
    ['post', '/projects', { project_id: 'a' }, 'name'],
    ['post', '/projects', { project_id: ' a', name: 'A' }, 'project_id'],
    ['post', '/projects', { project_id: 'a\u0000', name: 'A' }, 'project_id'],
    ['post', '/projects', { project_id: 'a', name: 'x'.repeat(257) }, 'name'],
    ['patch', '/projects/:p', { policy: { unpaid: 'maybe' } }, 'policy.unpaid'],
    ['patch', '/projects/:p', { policy: { unknown: 'allow' } }, 'policy.unknown'],
    ['patch', '/projects/:p', { policy: { past_due_grace_days: -1 } }, 'policy.past_due_grace_days'],
    ['patch', '/projects/:p', { redirect_origins: ['https://a.example/path'] }, 'redirect_origins.0'],
    ['patch', '/projects/:p', { redirect_origins: ['http://a.example'] }, 'redirect_origins.0'],
    ['patch', '/projects/:p', { redirect_origins: ['https://user@a.example'] }, 'redirect_origins.0'],
    ['patch', '/projects/:p', { is_active: 'no' }, 'is_active'],
    ['post', '/projects/:p/api-keys', { expires_at: 'tomorrow' }, 'expires_at'],
    ['post', '/projects/:p/api-keys', { expires_at: '2001-01-01T00:00:00Z' }, 'expires_at'],
    ['post', '/projects/:p/products', { ...product, feature_codes: 'f' }, 'feature_codes'],
    ['post', '/projects/:p/products', { ...product, feature_codes: [''] }, 'feature_codes.0'],
    ['post', '/projects/:p/prices', { ...price, amount: 1.5 }, 'amount'],
    ['post', '/projects/:p/prices', { ...price, amount: -1 }, 'amount'],
    ['post', '/projects/:p/prices', { ...price, currency: 'us' }, 'currency'],
    ['post', '/projects/:p/prices', { ...price, interval: 'week' }, 'interval'],
    ['post', '/projects/:p/prices', { ...price, access_days: 3 }, 'access_days'],
    ['post', '/projects/:p/customers', { user_id: 'u' }, 'stripe_customer_id'],
    ['post', '/grant', { ...grant, reason: ' ' }, 'reason'],
    [
      'post',
      '/grant',
      { ...grant, valid_from: '2030-01-02T00:00:00Z', valid_to: '2030-01-01T00:00:00Z' },
      'valid_to',
    ],
    ['post', '/revoke', { grant_id: 'g' }, 'reason'],
    ['post', '/revoke', { grant_id: 'g' }, 'revoke_reason'],
    ['post', '/revoke', { grant_id: 'g', reason: ' ' }, 'reason'],
    ['post', '/revoke', { grant_id: 'g', reason: 'one', revoke_reason: 'other' }, 'reason'],
  ] as const)('%s %s %j', async (method, path, body, field) => {
    const response = await admin(method, path.replace(':p', projectId), body).expect(400);
    expect(response.body.code).toBe('invalid_request');
    expect(response.body.errors.map((problem: { path: string }) => problem.path)).toContain(field);
  });

  test.each([
    '/projects?limit=0',
    '/projects?limit=101',
    '/projects?cursor=nonsense',
    '/events?status=lost',
    '/audit?limit=1&limit=2',
    '/events?cursor=WyJ4Il0',
    '/audit?cursor=WyItMSJd',
    '/projects?page=2',
  ])('GET %s', async (path) => {
    const response = await admin('get', path).expect(400);
    expect(response.body.code).toBe('invalid_request');
  });
});

describe('an unknown id is 404', () => {
  test.each([
    ['get', '/projects/none', undefined, 'project_not_found'],
    ['patch', '/projects/none', { name: 'x' }, 'project_not_found'],
    ['get', '/projects/none/api-keys', undefined, 'project_not_found'],
    ['post', '/projects/none/api-keys', {}, 'project_not_found'],
    ['delete', '/projects/:p/api-keys/none', undefined, 'api_key_not_found'],
    ['get', '/projects/none/products', undefined, 'project_not_found'],
    [
      'post',
      '/projects/none/products',
      { product_id: 'p', name: 'P', feature_codes: [] },
      'project_not_found',
    ],
    ['patch', '/projects/:p/products/none', { name: 'x' }, 'product_not_found'],
    [
      'post',
      '/projects/:p/prices',
      { product_id: 'none', stripe_price_id: 'price_1', amount: 1, currency: 'usd', interval: 'month' },
      'product_not_found',
    ],
    ['patch', '/projects/:p/prices/none', { is_archived: true }, 'price_not_found'],
    ['post', '/projects/none/customers', { user_id: 'u', stripe_customer_id: 'cus_1' }, 'project_not_found'],
    [
      'post',
      '/grant',
      { user_id: 'u', project_id: 'none', feature_code: 'f', reason: 'r' },
      'project_not_found',
    ],
    ['post', '/revoke', { grant_id: 'none', revoke_reason: 'r' }, 'grant_not_found'],
  ] as const)('%s %s', async (method, path, body, code) => {
    const response = await admin(method, path.replace(':p', projectId), body).expect(404);
    expect(response.body.code).toBe(code);
  });
});
