import { PassThrough } from 'node:stream';
import { createLogger, withLogContext, type LoggerOptions } from './logger.ts';

function capture(options: Partial<LoggerOptions> = {}) {
  const destination = new PassThrough().setEncoding('utf8');
  const logger = createLogger({ service: 'api', level: 'info', format: 'json', destination, ...options });
  const text = (): string => String(destination.read() ?? '');
  return { logger, text, line: (): unknown => JSON.parse(text()) };
}

test('one JSON object a line: time, level, event, service, fields', () => {
  const { logger, line } = capture();
  logger.info('checkout_created', { project_id: 'p1', at: new Date(0) });
  expect(line()).toMatchObject({
    time: expect.stringMatching(/^\d{4}-.*Z$/),
    level: 'info',
    event: 'checkout_created',
    service: 'api',
    project_id: 'p1',
    at: '1970-01-01T00:00:00.000Z',
  });
});

test('below the level nothing is written', () => {
  const { logger, text } = capture({ level: 'warn' });
  logger.info('quiet');
  expect(text()).toBe('');
});

test('fields of the context and of the child are merged, and no field can overwrite the event', async () => {
  const { logger, line } = capture();
  await withLogContext({ request_id: 'r1' }, () =>
    withLogContext({ job_id: 'j1' }, async () => {
      await Promise.resolve();
      logger.child({ room: 'checkout' }).warn('slow', { event: 'forged', level: 'debug' });
    }),
  );
  expect(line()).toMatchObject({
    request_id: 'r1',
    job_id: 'j1',
    room: 'checkout',
    event: 'slow',
    level: 'warn',
  });
});

test('secrets are masked by name and by pattern, at any depth', () => {
  const { logger, text } = capture();
  logger.info('leaky', {
    authorization: 'Bearer hush1',
    api_key: 'hush2',
    stripeSecret: 'hush3',
    nested: { email: 'hush4@example.com', list: [{ password: 'hush5' }] },
    url: 'postgres://app:hush6@db/app',
    note: 'key sk_live_hush7 of hush8@example.com, whsec_hush9, Bearer hush10',
  });
  const line = text();
  expect(line).not.toMatch(/hush/);
  expect(line).toContain('postgres://[redacted]@db/app');
});

test('what Stripe and Postgres quote of a request is not logged, whatever it looks like', () => {
  const { logger, text } = capture({ format: 'pretty' });
  const refused = Object.assign(new Error('Invalid string: user-ada; must be at most 3 characters'), {
    type: 'StripeInvalidRequestError',
    code: 'parameter_invalid',
    param: 'metadata[user_id]',
  });
  const twice = new Error('Key (project_id, user_id)=(shop, user-ada (x)) already exists.');
  logger.error('failed', { error: new Error('outer', { cause: refused }) });
  logger.error('failed', { error: twice });
  const lines = text();
  expect(lines).not.toContain('user-ada');
  expect(lines).toContain('StripeInvalidRequestError, parameter_invalid, metadata[user_id]');
  expect(lines).toContain('Key (project_id, user_id)=([redacted]) already exists.');
});

test('secrets of the process are masked wherever they turn up, whatever they look like', () => {
  const secrets = [
    'plain-admin',
    undefined,
    'postgres://app:p%40ss.w+rd@db/app',
    'redis://cache:6379',
    'dev',
  ];
  const { logger, text } = capture({ secrets });
  const error = new Error('no role for p@ss.w+rd', { cause: new Error('saw (plain-admin) and p%40ss.w+rd') });
  logger.error('failed', { note: `dev ${'x'.repeat(1_990)}plain-admin`, error, list: ['plain-admin'] });
  const line = text();
  expect(line).not.toMatch(/plain-adm|p@ss|p%40ss/);
  expect(line).toContain('dev xxx');
});

test('keys of projects, signatures and basic credentials are masked in texts', () => {
  const { logger, line } = capture();
  logger.info('leaky', {
    key: 'with proj_0123456789abcdefghijklmnopqrstuvwxyz0123',
    header: 't=1763860000,v1=0123abcdef,v0=99',
    part: `v1=${'ab'.repeat(32)}`,
    basic: 'Basic bG9jYWw6c2VjcmV0',
  });
  expect(line()).toMatchObject({
    key: 'with proj_012345[redacted]',
    header: '[redacted]',
    part: '[redacted]',
    basic: 'Basic [redacted]',
  });
});

test('of an error of Prisma only the last line is kept: the others show the data of the call', () => {
  const error = new Error(
    'Invalid `db.user.create()` invocation:\n{ name: "hush" }\n\nUnique constraint failed',
  );
  error.name = 'PrismaClientKnownRequestError';
  const { logger, text } = capture({ format: 'pretty' });
  logger.error('failed', { error });
  expect(text()).toContain('Unique constraint failed');
  logger.error('failed', { error });
  expect(text()).not.toContain('hush');
});

test('names that merely resemble secrets stay readable', () => {
  const { logger, line } = capture();
  logger.info('fine', { key_id: 'k1', route: '/api-keys/:id', token_count: 3 });
  expect(line()).toMatchObject({ key_id: 'k1', route: '/api-keys/:id', token_count: 3 });
});

test('errors: name, code, message and cause; the stack in development only', () => {
  const cause = Object.assign(new Error('connect to redis://:hush@host'), { code: 'ECONNREFUSED' });
  const error = new TypeError('broken', { cause });
  const production = capture();
  production.logger.error('failed', { error });
  expect(production.line()).toMatchObject({
    error: {
      name: 'TypeError',
      message: 'broken',
      cause: { code: 'ECONNREFUSED', message: 'connect to redis://[redacted]@host' },
    },
  });
  production.logger.error('failed', { error });
  expect(production.text()).not.toContain('logger.test.ts');
  const development = capture({ format: 'pretty' });
  development.logger.error('failed', { error });
  expect(development.text()).toMatch(/ERROR \[api\] failed .*logger\.test\.ts/);
});

test('circular fields do not throw', () => {
  const { logger, text } = capture();
  const loop: Record<string, unknown> = {};
  loop['self'] = loop;
  logger.info('circular', { loop });
  expect(text()).toContain('[too deep]');
});
