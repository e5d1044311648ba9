import { startCommerce } from '../testing/start-commerce.test-support.ts';
import type { Commerce } from '../testing/start-commerce.test-support.ts';

let commerce: Commerce;
let apiKey: string;
let priceId: string;

beforeAll(async () => {
  commerce = await startCommerce();
  const project = await commerce.createProject();
  ({ apiKey } = project);
  ({ priceId } = await commerce.sell(project.projectId));
  const redirect_origins = ['https://app.example.com/', 'https://shop.example:8443', 'http://localhost:3000'];
  await commerce.admin('patch', `/projects/${project.projectId}`, { redirect_origins }).expect(200);
});
afterAll(() => commerce.close());

describe('a project that names its origins', () => {
  test.each([
    'https://app.example.com',
    'https://app.example.com/done?session={CHECKOUT_SESSION_ID}&x=%2F%2e%2e#part',
    'https://APP.example.com:443/Done',
    'https://app.example.com/a/../b//c?next=https://evil.example',
    'https://shop.example:8443/ü',
    'http://localhost:3000/done',
  ])('sends buyers to %s exactly as given', async (url) => {
    const order = commerce.order(priceId, { success_url: url, cancel_url: url });
    const { body } = await commerce.checkout(apiKey, order).expect(200);
    const session = await commerce.stripe.checkout.sessions.retrieve(body.session_id);
    expect([session.success_url, session.cancel_url]).toEqual([url, url]);
  });

  test.each([
    'https://app.example.com.evil.example/',
    'https://evil.example/app.example.com',
    'https://evil.example/?https://app.example.com/',
    'https://evil.example#app.example.com',
    'https://app.example.com./',
    'https://sub.app.example.com/',
    'https://example.com/',
    'https://app-example.com/',
    'https://\u0430pp.example.com/',
    'https://app.example.com\u3002evil.example/',
    'https://app.example.com\uff0fevil.example/',
    'https://app.example.com:444/',
    'https://shop.example/',
    'http://localhost/',
    'http://127.0.0.1:3000/',
    'https://localhost:3000/',
  ])('refuses %p', async (url) => {
    for (const field of ['success_url', 'cancel_url']) {
      const refused = await commerce.checkout(apiKey, commerce.order(priceId, { [field]: url })).expect(400);
      expect(refused.body.code).toBe('invalid_request');
      expect(refused.body.errors).toMatchObject([{ path: field }]);
    }
  });

  test('also checks where the portal leads back to', async () => {
    const { user_id } = commerce.order(priceId);
    await commerce.checkout(apiKey, commerce.order(priceId, { user_id })).expect(200);
    const open = (return_url: string) =>
      commerce
        .http()
        .post('/api/v1/portal/create-session')
        .set('authorization', `Bearer ${apiKey}`)
        .send({ user_id, return_url });
    await open('https://app.example.com/account').expect(200);
    const refused = await open('https://app.example.com.evil.example/account').expect(400);
    expect(refused.body.errors).toMatchObject([{ path: 'return_url' }]);
  });
});

describe('a project that names no origins', () => {
  test.each([
    ['production', 1],
    ['development', 0],
  ])('in %s is warned of in the log %d times, however often it sells', async (NODE_ENV, times) => {
    const open = await startCommerce({ NODE_ENV });
    try {
      const project = await open.createProject();
      const { priceId: price } = await open.sell(project.projectId);
      for (const user_id of ['one', 'two'])
        await open.checkout(project.apiKey, open.order(price, { user_id })).expect(200);
      const warnings = open.logs.join('').match(/"redirect_origins_empty".*/g) ?? [];
      expect(warnings).toHaveLength(times);
      for (const warning of warnings) expect(warning).toContain(project.projectId);
    } finally {
      await open.close();
    }
  });
});
