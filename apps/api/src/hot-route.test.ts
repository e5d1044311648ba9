import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';
import request from 'supertest';
import { createApp } from './app.ts';
import { createApiServer } from './http/api-server.ts';
import { startTestApi } from './testing/start-test-api.test-support.ts';
import type { TestApi } from './testing/start-test-api.test-support.ts';

const headersOf = ({ headers }: { headers: Record<string, string> }): string[] =>
  Object.keys(headers).sort((a, b) => a.localeCompare(b));

/** How many requests got another prototype than the one they were created with while `ask` ran. */
async function prototypesChanged(ask: () => PromiseLike<unknown>): Promise<number> {
  const { setPrototypeOf } = Object;
  let changed = 0;
  Object.setPrototypeOf = (target: object, prototype: object | null): object => {
    if ('headersDistinct' in target && Object.getPrototypeOf(target) !== prototype) changed += 1;
    return setPrototypeOf(target, prototype);
  };
  try {
    await ask();
  } finally {
    Object.setPrototypeOf = setPrototypeOf;
  }
  return changed;
}

describe('the hot route', () => {
  let api: TestApi;
  beforeAll(async () => {
    api = await startTestApi();
  });
  afterAll(() => api.close());

  it('stands before all middleware, with one handler; the check of usage beside it', () => {
    const [first, second] = createApp(api.deps).app.router.stack;
    expect([first?.route?.path, second?.route?.path]).toEqual(['/api/v1/entitlements', '/api/v1/check']);
    for (const layer of [first, second]) expect(layer?.route?.stack).toHaveLength(1);
  });

  it('leaves webhooks as Stripe sends them to their own listener, which answers as the route of the app does', async () => {
    const { app, listener } = createApp(api.deps);
    const throughExpress: string[] = [];
    const handle: unknown = Reflect.get(app, 'handle');
    Reflect.set(app, 'handle', (asked: IncomingMessage, ...rest: unknown[]) => {
      throughExpress.push(asked.url ?? '');
      Reflect.apply(Object(handle), app, [asked, ...rest]);
    });
    const server = createApiServer(app, [], listener);
    const path = '/api/v1/webhooks/stripe';
    const answers = await Promise.all(
      [path, `${path}/`, `${path}?a=b`].map((url) =>
        request(server).post(url).set('x-request-id', 'mine').send('{}'),
      ),
    );
    for (const { status, body, headers } of answers) {
      expect([status, body.code, headers['x-request-id']]).toEqual([401, 'invalid_signature', 'mine']);
      expect(Object.keys(headers).sort()).toEqual(Object.keys(answers[0]?.headers ?? {}).sort());
    }
    expect((await request(server).get(path)).status).toBe(405);
    expect(throughExpress).toEqual(expect.arrayContaining([`${path}/`, `${path}?a=b`]));
    expect(throughExpress.filter((url) => url === path)).toHaveLength(1);
    server.close();
  });

  it('never makes Express change the prototype of a request', async () => {
    expect(await prototypesChanged(() => api.http().get('/api/v1/entitlements').expect(401))).toBe(0);
    // A plain server does what this app's server avoids: the count can see it.
    const plain = createServer(createApp(api.deps).app);
    expect(await prototypesChanged(() => request(plain).get('/api/v1/entitlements').expect(401))).toBe(1);
    plain.close();
  });

  it.each([
    ['/api/v1/entitlements', 'user_id=user_1', 'hit'],
    // Copies of users without a row are not kept.
    ['/api/v1/check', 'user_id=user_1&feature_code=calls&required=3', 'miss'],
  ])('%s answers a simple query and one that is parsed alike', async (path, query, cache) => {
    const { apiKey, projectId } = await api.createProject();
    const ask = (asked: string) =>
      api.http().get(`${path}?${asked}`).set('authorization', `Bearer ${apiKey}`).set('x-request-id', 'mine');
    await ask(query);
    const [plain, parsed] = [await ask(query), await ask(`${query}&project_id=${projectId}`)];
    const { checked_at: plainAt, as_of: _plainAsOf, ...plainAnswer } = plain.body;
    const { checked_at: parsedAt, as_of: _parsedAsOf, ...parsedAnswer } = parsed.body;
    expect(plainAnswer).toEqual(parsedAnswer);
    expect([typeof plainAt, typeof parsedAt]).toEqual(['string', 'string']);
    expect(headersOf(plain)).toEqual(headersOf(parsed));
    expect(plain.headers['x-request-id']).toBe('mine');
    expect([plain.headers['x-cache'], parsed.headers['x-cache']]).toEqual([cache, cache]);
  });
});
