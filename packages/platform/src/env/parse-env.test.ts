import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { knownSecrets } from '../logging/redact.ts';
import { databaseFields, envVar, erasureFields, loggingFields, redisFields, stripeFields } from './fields.ts';
import { hostUrls, placeOf } from './host-urls.ts';
import { ConfigError, findSettingWarnings, parseEnv } from './parse-env.ts';
import { databaseSettings } from './url-parameters.ts';

const schema = z.object({
  ...databaseFields,
  ...redisFields,
  ...loggingFields,
  ...stripeFields,
  PORT: envVar.port(8000),
});
const valid = {
  DATABASE_URL: 'postgresql://app:hush@db:5432/app',
  REDIS_URL: 'redis://127.0.0.1:6379',
  STRIPE_SECRET_KEY: 'rk_test_abc',
};

function messageOf(env: Record<string, string>, shape: z.ZodObject = schema): string {
  try {
    parseEnv(shape, env);
    return '';
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.message;
  }
}

test('fills in the defaults', () => {
  expect(parseEnv(schema, valid)).toEqual({
    ...valid,
    AUTH_FAILURES_PER_MINUTE: 3_000,
    DATABASE_POOL_SIZE: 10,
    DATABASE_PREPARED_STATEMENTS: 'on',
    DATABASE_CONNECTION_SECONDS: { min: 1_800, max: 3_600 },
    CACHE_PREFIX: '',
    ALLOW_INSECURE_DATABASE: 'false',
    ALLOW_INSECURE_REDIS: 'false',
    NODE_ENV: 'development',
    LOG_LEVEL: 'info',
    PORT: 8000,
  });
});

test('names every bad variable, and never a value', () => {
  const message = messageOf({
    DATABASE_URL: 'mysql://app:hush@db/app',
    STRIPE_SECRET_KEY: 'whsec_secret',
    PORT: '70000',
    DATABASE_POOL_SIZE: '1.5',
    NODE_ENV: 'live',
  });
  for (const name of [
    'DATABASE_URL',
    'REDIS_URL',
    'STRIPE_SECRET_KEY',
    'PORT',
    'DATABASE_POOL_SIZE',
    'NODE_ENV',
  ]) {
    expect(message).toMatch(new RegExp(`^  ${name}: expected .+`, 'm'));
  }
  expect(message).not.toMatch(/hush|whsec_secret|70000|1\.5|mysql|live/);
});

test('an empty string is unset', () => {
  expect(parseEnv(schema, { ...valid, PORT: '', METRICS_TOKEN: '' })).toMatchObject({ PORT: 8000 });
  expect(messageOf({ ...valid, DATABASE_URL: '' })).toMatch(/DATABASE_URL: .*\(it is not set\)/);
});

test('X_FILE is read as X', () => {
  const dir = mkdtempSync(join(tmpdir(), 'env-'));
  const path = join(dir, 'key');
  writeFileSync(path, 'sk_live_file\n');
  const { STRIPE_SECRET_KEY: _unset, ...rest } = valid;
  expect(parseEnv(schema, { ...rest, STRIPE_SECRET_KEY_FILE: path }).STRIPE_SECRET_KEY).toBe('sk_live_file');
  expect(messageOf({ ...valid, STRIPE_SECRET_KEY_FILE: path })).toMatch(/either STRIPE_SECRET_KEY or/);
  expect(messageOf({ ...rest, STRIPE_SECRET_KEY_FILE: `${path}.gone` })).toMatch(
    /STRIPE_SECRET_KEY_FILE names can't be read/,
  );
  rmSync(dir, { recursive: true });
});

const key = (byte: number): string => Buffer.alloc(32, byte).toString('base64');

test.each([
  [envVar.secretList(), 'a, b,', ['a', 'b']],
  [envVar.secretList(), ' , ', undefined],
  [
    envVar.namedSecrets(),
    'ops:s:1, ci:s2',
    [
      { name: 'ops', role: 'admin', projectId: null, secret: 's:1' },
      { name: 'ci', role: 'admin', projectId: null, secret: 's2' },
    ],
  ],
  [
    envVar.namedSecrets(),
    'ann/viewer:a/b:c,bob/operator/my%20shop%2F%3A%2C:s',
    [
      { name: 'ann', role: 'viewer', projectId: null, secret: 'a/b:c' },
      { name: 'bob', role: 'operator', projectId: 'my shop/:,', secret: 's' },
    ],
  ],
  [envVar.namedSecrets(), 'ops', undefined],
  [envVar.namedSecrets(), 'ops:same,ci:same', undefined],
  [erasureFields.ERASURE_KEY, `${key(1)}, ${key(2)}`, [key(1), key(2)]],
  [erasureFields.ERASURE_KEY, key(1).replace('=', ''), [key(1).replace('=', '')]],
  [erasureFields.ERASURE_KEY, `${key(1)},${key(1).replace('=', '')}`, undefined],
  [erasureFields.ERASURE_KEY, Buffer.alloc(31, 1).toString('base64'), undefined],
  [erasureFields.ERASURE_KEY, Buffer.alloc(33, 1).toString('base64'), undefined],
  [erasureFields.ERASURE_KEY, Buffer.alloc(32, 1).toString('hex'), undefined],
  [erasureFields.ERASURE_KEY, ' , ', undefined],
  [envVar.number({ min: 0, max: 100 }), '0.5', 0.5],
  [envVar.number({ min: 0, max: 100 }), '1e1', undefined],
  [envVar.int({ min: 1, max: 9 }), '0', undefined],
  [envVar.int({ min: 1, max: 9 }), ' 9 ', 9],
  [envVar.port(), '0', 0],
  [envVar.port(), '08x', undefined],
  [envVar.oneOf(['a', 'b']), 'b', 'b'],
  [envVar.text(), 'a\tb', undefined],
  [envVar.url(['redis:']), 'redis://', undefined],
])('field %#: %p reads as %p', (field, text, expected) => {
  expect(field.safeParse(text).data).toEqual(expected);
});

describe('parameters of URLs', () => {
  const database = 'postgresql://app:hush@db:5432/app';

  it.each([
    ['?schema=public', undefined],
    ['?schema=billing', 'schema=public or none'],
    ['?schema=public&schema=billing', 'schema=public or none'],
    ['?target_session_attrs=read-write', undefined],
    ['?target_session_attrs=standby', 'target_session_attrs=any or read-write'],
    ['?channel_binding=require', undefined],
    ['?channel_binding=yes', 'channel_binding='],
    ['?connection_limit=0', 'connection_limit='],
    ['?connect_timeout=soon', 'connect_timeout='],
    ['?pgbouncer=1', 'pgbouncer='],
    ['?schema=billing&pgbouncer=1', 'schema=public or none: the tables are in that schema; pgbouncer='],
  ])('DATABASE_URL with %s in every mode: %s', (parameters, expected) => {
    for (const NODE_ENV of ['development', 'production']) {
      const message = messageOf({ ...valid, NODE_ENV, DATABASE_URL: database + parameters });
      expect(message.includes(expected ?? 'DATABASE_URL')).toBe(expected !== undefined);
      expect(message).not.toMatch(/hush/);
    }
  });

  const urls = {
    DATABASE_URL: `${database}?sslmode=verify-full&application_name=x&statement_cache_size=0&pool_timeout=1`,
    REDIS_URL: 'redis://127.0.0.1:6379?family=6',
    CACHE_REDIS_URL: 'redis://127.0.0.1:6379/1?prefix=x',
  };

  it('that have no effect are refused by name in production', () => {
    const message = messageOf({ ...valid, ...urls, NODE_ENV: 'production' });
    expect(message).toMatch(
      /^ {2}DATABASE_URL: take out its parameters statement_cache_size, pool_timeout, which have no effect$/m,
    );
    expect(message).toMatch(/^ {2}CACHE_REDIS_URL: take out its parameter prefix,/m);
    expect(message).not.toMatch(/ REDIS_URL:/);
  });

  it('that have no effect are named beside what else is wrong', () => {
    const DATABASE_URL = 'postgresql://app:hush@db.example.com/app?sslmode=disable&pool_timeout=1';
    const message = messageOf({ ...valid, DATABASE_URL, NODE_ENV: 'production' });
    expect(message).toMatch(/^ {2}DATABASE_URL: sslmode=disable .*; take out its parameter pool_timeout,/m);
  });

  it('that have no effect are found elsewhere, to be warned of', () => {
    expect(messageOf({ ...valid, ...urls })).toBe('');
    const event = 'setting_has_no_effect';
    expect(findSettingWarnings(schema, { ...valid, ...urls })).toEqual([
      { event, variable: 'DATABASE_URL', parameter: 'statement_cache_size' },
      { event, variable: 'DATABASE_URL', parameter: 'pool_timeout' },
      { event, variable: 'CACHE_REDIS_URL', parameter: 'prefix' },
    ]);
  });

  it('set the connections', () => {
    const settingsOf = (parameters: string) =>
      databaseSettings(
        parseEnv(schema, { ...valid, DATABASE_URL: database + parameters, DATABASE_POOL_SIZE: '7' }),
      );
    const connectionSeconds = { min: 1_800, max: 3_600 };
    expect(settingsOf('')).toEqual({ poolSize: 7, hasPreparedStatements: true, connectionSeconds });
    expect(settingsOf('?connection_limit=3&pgbouncer=true')).toEqual({
      poolSize: 3,
      hasPreparedStatements: false,
      connectionSeconds,
    });
  });
});

test.each([
  'ann/root:s',
  'ann/:s',
  'ann/viewer/:s',
  'ann/viewer/%zz:s',
  'ann/viewer/%00:s',
  'ann/viewer/a/b:s',
])('%p is no named secret', (text) => {
  expect(envVar.namedSecrets().safeParse(text).success).toBe(false);
});

test.each([
  ['60', { min: 60, max: 60 }],
  [' 60-90 ', { min: 60, max: 90 }],
  ['1-86400', { min: 1, max: 86_400 }],
  ['0', undefined],
  ['90-60', undefined],
  ['60-86401', undefined],
  ['60-', undefined],
  ['a minute', undefined],
])('connections that are replaced after %p seconds', (text, expected) => {
  expect(databaseFields.DATABASE_CONNECTION_SECONDS.safeParse(text).data).toEqual(expected);
});

describe('a database URL with several hosts', () => {
  const url = 'postgresql://app:hush@db-1:5432,db-2,[fd00::2]:5433/app?target_session_attrs=read-write';

  it('is one URL for each host, in their order', () => {
    expect(hostUrls(url)).toEqual([
      'postgresql://app:hush@db-1:5432/app?target_session_attrs=read-write',
      'postgresql://app:hush@db-2/app?target_session_attrs=read-write',
      'postgresql://app:hush@[fd00::2]:5433/app?target_session_attrs=read-write',
    ]);
    expect(placeOf(url)).toBe('db-1:5432,db-2:5432,[fd00::2]:5433/app');
  });

  it.each([
    [url, true],
    ['postgresql://app@db-1:5432,db-2:x/app', false],
    ['postgresql://app@db-1:5432,/app', false],
    ['postgresql://app@,db-2/app', false],
    ['mysql://app@db-1,db-2/app', false],
    ['postgresql://app@db-1:5432,db-2:5432/app?target_session_attrs=primary', false],
    ['postgresql://app@db-1:5432,db-2:5432/app?connect_timeout=soon', false],
  ])('%s: %p', (DATABASE_URL, isRight) => {
    expect(messageOf({ ...valid, DATABASE_URL }) === '').toBe(isRight);
  });

  it('has its password kept out of the log', () => {
    expect('it is hushhush'.replace(knownSecrets([url.replace('hush', 'hushhush')]) ?? '', '***')).toBe(
      'it is ***',
    );
  });

  it('names no public host without encryption in production', () => {
    const DATABASE_URL = 'postgresql://app@db-1:5432,db.example.com:5432/app?sslmode=disable';
    expect(messageOf({ ...valid, DATABASE_URL, NODE_ENV: 'production' })).toMatch('sslmode=disable');
  });
});
