import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { databaseFields, envVar, loggingFields, redisFields, stripeFields } from './fields.ts';
import { hostsOf, isPrivateHost } from './hosts.ts';
import { ConfigError, findSettingWarnings, parseEnv } from './parse-env.ts';
import { publishedSecrets } from './published-secrets.ts';

const schema = z.object({
  ...databaseFields,
  ...redisFields,
  ...loggingFields,
  ...stripeFields,
  PORT: envVar.port(8000),
  STRIPE_WEBHOOK_SECRET: envVar.secretList(),
  ADMIN_API_KEY: envVar.namedSecrets(),
});
const long = randomBytes(24).toString('hex');
const valid = {
  DATABASE_URL: 'postgresql://app:hush@db:5432/app',
  REDIS_URL: 'redis://127.0.0.1:6379',
  STRIPE_SECRET_KEY: 'rk_test_abc',
  STRIPE_WEBHOOK_SECRET: `whsec_${long}`,
  ADMIN_API_KEY: `ann:${long}`,
};

function problemsWith(env: Record<string, string>, mode = 'production'): string {
  try {
    parseEnv(schema, { ...valid, NODE_ENV: mode, ...env });
    return '';
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.message;
  }
}

/** What is said of `name`; undefined: it is accepted. */
function problemWith(name: string, env: Record<string, string>): string | undefined {
  return new RegExp(`^ {2}${name}: (.*)$`, 'm').exec(problemsWith(env))?.[1];
}

test('what is good everywhere is good in production', () => {
  expect(problemsWith({})).toBe('');
});

test.each([
  [`whsec_${long}`, undefined],
  [`whsec_${long}, whsec_${long}2,`, undefined],
  [`"whsec_${long}"`, 'without the quotes around it'],
  [`'whsec_${long},whsec_${long}'`, 'without the quotes around it'],
  [`sk_test_${long}`, 'each beginning with whsec_'],
  [`rk_live_${long}`, 'each beginning with whsec_'],
  [`whsec_${long},sk_live_${long}`, 'each beginning with whsec_'],
  [long, 'each beginning with whsec_'],
  [`whsec_${'x'.repeat(17)}`, 'at least 24 characters'],
  [`whsec_${'x'.repeat(18)}`, undefined],
  [`whsec_${long},whsec_short`, 'at least 24 characters'],
  ['whsec_replace_me', 'published in this repository'],
  [`whsec_${long},whsec_offline`, 'published in this repository'],
])('a STRIPE_WEBHOOK_SECRET of %s: %s', (secret, expected) => {
  const problem = problemWith('STRIPE_WEBHOOK_SECRET', { STRIPE_WEBHOOK_SECRET: secret });
  expect(problem ?? 'undefined').toContain(String(expected));
  expect(problem ?? '').not.toContain(secret);
});

test.each([
  [`ann:${long},bob:${long}2`, undefined],
  [`ann/viewer/shop:${long}`, undefined],
  [`ann:${'x'.repeat(24)}`, undefined],
  ['ann:a', 'at least 24 characters'],
  [`ann:${'x'.repeat(23)}`, 'at least 24 characters'],
  [`ann:${long},bob:short`, 'at least 24 characters'],
  ['local:change-me-before-production', 'published in this repository'],
  [`ann:${long},local:admin-secret-of-the-trace`, 'published in this repository'],
])('an ADMIN_API_KEY of %s: %s', (pairs, expected) => {
  const problem = problemWith('ADMIN_API_KEY', { ADMIN_API_KEY: pairs });
  // Which names there are is another rule.
  expect(/at least 24 characters|published in this repository/.exec(problem ?? '')?.[0]).toBe(expected);
});

test.each([...publishedSecrets])('%s is published', (secret) => {
  const name = secret.startsWith('whsec_') ? 'STRIPE_WEBHOOK_SECRET' : 'ADMIN_API_KEY';
  const value = name === 'ADMIN_API_KEY' ? `ann:${secret}` : secret;
  expect(problemWith(name, { [name]: value })).toContain('published');
});

test.each([
  ['sk_live_abc', 'http://127.0.0.1:12111', 'a live key goes to Stripe alone'],
  ['rk_live_abc', 'https://api.stripe.com', 'a live key goes to Stripe alone'],
  ['sk_test_abc', 'https://stripe.example.com', undefined],
  ['sk_test_abc', 'http://127.0.0.1:12111', undefined],
  ['sk_test_abc', 'http://localhost:12111', undefined],
  ['sk_test_abc', 'http://[::1]:12111', undefined],
  ['sk_test_abc', 'http://offline-stripe:12111', 'expected https://'],
  ['sk_test_abc', 'HTTP://10.0.0.1', 'expected https://'],
  ['sk_live_abc', '', undefined],
])('%s with STRIPE_API_BASE=%s: %s', (key, base, expected) => {
  const problem = problemWith('STRIPE_API_BASE', { STRIPE_SECRET_KEY: key, STRIPE_API_BASE: base });
  expect(problem ?? 'undefined').toContain(String(expected));
});

/** Names are not resolved. */
const hosts: [host: string, isPrivate: boolean][] = [
  ['localhost', true],
  ['127.0.0.1', true],
  ['127.9.9.9', true],
  ['[::1]', true],
  ['10.1.2.3', true],
  ['172.16.0.1', true],
  ['172.31.255.255', true],
  ['172.32.0.1', false],
  ['192.168.1.1', true],
  ['192.169.1.1', false],
  ['100.64.0.1', true],
  ['100.128.0.1', false],
  ['169.254.1.1', true],
  ['8.8.8.8', false],
  ['[fd00::1]', true],
  ['[fe80::1]', true],
  ['[2001:4860:4860::8888]', false],
  ['[::ffff:10.0.0.1]', true],
  ['[::ffff:8.8.8.8]', false],
  ['postgres', true],
  ['134744072', false],
  ['0x08080808', false],
  ['db.internal', true],
  ['DB.INTERNAL.', true],
  ['db.local', true],
  ['db.billing.svc', true],
  ['db.svc.cluster.local', true],
  ['db.example.com', false],
  ['internal.example.com', false],
  ['db.notinternal', false],
];

test.each(hosts)('the host %s is in a private network: %s', (host, isPrivate) => {
  expect(hostsOf(`postgresql://app:hush@${host}:5432/app`).map(isPrivateHost)).toEqual([isPrivate]);
});

test.each([
  ['postgresql://app:p@ss@db-1:5432,db.example.com:5433/app', ['db-1', 'db.example.com']],
  ['redis+sentinel://:hush@[fd00::1]:26379,10.0.0.1/name/0', ['fd00::1', '10.0.0.1']],
  ['redis://db.example.com?family=6', ['db.example.com']],
  ['postgresql://app@%2Fvar%2Frun/app', ['/var/run']],
  ['postgresql://[fe80::1%25eth0]/app', ['fe80::1']],
])('the hosts of %s are %p', (url, expected) => expect(hostsOf(url)).toEqual(expected));

const publicDatabase = 'postgresql://app:hush@db.example.com:5432/app';

test.each([
  [`${publicDatabase}?sslmode=disable`, true],
  [publicDatabase, false],
  [`${publicDatabase}?sslmode=prefer`, false],
  [`${publicDatabase}?sslmode=verify-full`, false],
  ['postgresql://app:hush@db:5432/app?sslmode=disable', false],
  ['postgresql://app:hush@10.0.0.1,db.example.com/app?sslmode=disable', true],
  ['postgresql://app:hush@10.0.0.1,db/app?sslmode=disable', false],
])('DATABASE_URL=%s is refused: %s', (url, isRefused) => {
  const problem = problemWith('DATABASE_URL', { DATABASE_URL: url });
  expect(problem?.includes('write sslmode=verify-full (or ALLOW_INSECURE_DATABASE=true)') ?? false).toBe(
    isRefused,
  );
  expect(problemsWith({ DATABASE_URL: url, ALLOW_INSECURE_DATABASE: 'true' })).toBe('');
  expect(problemsWith({ DATABASE_URL: url }, 'development')).toBe('');
});

test.each([
  ['redis://:hush@redis.example.com:6379', true],
  ['redis://app:hush@8.8.8.8/1', true],
  ['redis://redis.example.com:6379', false],
  ['rediss://app:hush@redis.example.com:6379', false],
  ['redis://app:hush@redis:6379', false],
  ['redis://app:hush@redis.internal:6379', false],
])('REDIS_URL=%s is refused: %s', (url, isRefused) => {
  for (const name of ['REDIS_URL', 'CACHE_REDIS_URL']) {
    const problem = problemWith(name, { [name]: url });
    expect(problem?.includes('write rediss:// (or ALLOW_INSECURE_REDIS=true)') ?? false).toBe(isRefused);
    expect(problemsWith({ [name]: url, ALLOW_INSECURE_REDIS: 'true' })).toBe('');
  }
});

test.each([
  [publicDatabase, true],
  [`${publicDatabase}?sslmode=allow`, true],
  [`${publicDatabase}?sslmode=prefer`, true],
  [`${publicDatabase}?sslmode=require`, false],
  ['postgresql://app:hush@db:5432/app', false],
  ['postgresql://app:hush@10.0.0.1:5432/app?sslmode=prefer', false],
])('DATABASE_URL=%s is warned of: %s', (url, isWarnedOf) => {
  const warnings = findSettingWarnings(schema, { ...valid, DATABASE_URL: url });
  expect(warnings).toEqual(
    isWarnedOf
      ? [{ event: 'connection_may_be_unencrypted', variable: 'DATABASE_URL', parameter: 'sslmode' }]
      : [],
  );
});

test('all that is wrong is in one message, without a value', () => {
  const message = problemsWith({
    PORT: '"8000"',
    METRICS_TOKEN: "'token'",
    DATABASE_URL: `${publicDatabase}?sslmode=disable`,
    REDIS_URL: 'redis://:hush@redis.example.com',
    STRIPE_SECRET_KEY: 'sk_live_abc',
    STRIPE_API_BASE: 'http://offline-stripe:12111',
    STRIPE_WEBHOOK_SECRET: 'whsec_offline',
    ADMIN_API_KEY: 'local:a',
  });
  for (const name of [
    'PORT',
    'METRICS_TOKEN',
    'DATABASE_URL',
    'REDIS_URL',
    'STRIPE_API_BASE',
    'STRIPE_WEBHOOK_SECRET',
    'ADMIN_API_KEY',
  ])
    expect(message).toMatch(new RegExp(`^ {2}${name}: `, 'm'));
  expect(message).not.toMatch(/8000|token'|hush|example\.com|abc|offline|local/);
});

test('a first try gets away with any secret', () => {
  const weak = { STRIPE_WEBHOOK_SECRET: 'secret', ADMIN_API_KEY: 'local:a' };
  for (const mode of ['development', 'test']) expect(problemsWith(weak, mode)).toBe('');
});
