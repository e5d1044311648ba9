import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEnv } from '@billing/platform';
import { environmentSchema } from './config.ts';

const secrets: Record<string, string> = {
  DATABASE_URL: 'postgresql://app:of-a-file@127.0.0.1:5432/billing',
  REDIS_URL: 'redis://:of-a-file@127.0.0.1:6379',
  CACHE_REDIS_URL: 'redis://:of-a-file@127.0.0.1:6380',
  STRIPE_SECRET_KEY: 'sk_test_of_a_file',
  STRIPE_WEBHOOK_SECRET: 'whsec_new,whsec_old',
  ADMIN_API_KEY: 'ann:of-a-file,bob:of-another',
  METRICS_TOKEN: 'of-a-file',
};

const dir = mkdtempSync(join(tmpdir(), 'secrets-'));
afterAll(() => rmSync(dir, { recursive: true }));

/** The same environment with this variable as a file, as Docker and Kubernetes mount secrets. */
function withFile(name: string, content = `${secrets[name]}\n`): Record<string, string> {
  const path = join(dir, name);
  writeFileSync(path, content);
  const { [name]: _given, ...others } = secrets;
  return { ...others, [`${name}_FILE`]: path };
}

test.each(Object.keys(secrets))('%s can come from a file', (name) => {
  expect(parseEnv(environmentSchema, withFile(name))).toEqual(parseEnv(environmentSchema, secrets));
});

test.each(Object.keys(secrets))('%s_FILE beside %s is refused without a value', (name) => {
  const both = { ...secrets, ...withFile(name) };
  expect(() => parseEnv(environmentSchema, { ...both, [name]: secrets[name] })).toThrow(
    `  ${name}: set either ${name} or ${name}_FILE, not both`,
  );
  expect(() => parseEnv(environmentSchema, { ...both, [name]: secrets[name] })).not.toThrow(
    /of-a-file|whsec_/,
  );
});

test('every variable of the schema can', () => {
  for (const name of Object.keys(environmentSchema.shape))
    expect(() => parseEnv(environmentSchema, { ...secrets, [name]: '', [`${name}_FILE`]: dir })).toThrow(
      `${name}: the file that ${name}_FILE names can't be read`,
    );
});

describe('TRUST_PROXY', () => {
  const parsed = (text: string) => parseEnv(environmentSchema, { ...secrets, TRUST_PROXY: text }).TRUST_PROXY;

  test.each<[string, number | string[]]>([
    ['0', 0],
    ['1', 1],
    ['9', 9],
    ['loopback', ['loopback']],
    ['10.0.0.0/8', ['10.0.0.0/8']],
    ['192.0.2.1, fd00::/8 ,uniquelocal', ['192.0.2.1', 'fd00::/8', 'uniquelocal']],
  ])('%s', (text, proxies) => {
    expect(parsed(text)).toEqual(proxies);
  });

  test.each([
    'true',
    'yes',
    '-1',
    '10',
    '1.5',
    '10.0.0.0/33',
    'fd00::/129',
    '300.0.0.1',
    'a.example',
    '10.0.0.0/8,',
  ])('%s is refused: with it any caller could claim any address', (text) => {
    expect(() => parsed(text)).toThrow('  TRUST_PROXY: expected the number of proxies');
  });
});
