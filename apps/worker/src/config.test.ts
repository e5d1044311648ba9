import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConfig } from './config.ts';

const secrets: Record<string, string> = {
  DATABASE_URL: 'postgresql://app:of-a-file@127.0.0.1:5432/billing',
  REDIS_URL: 'redis://:of-a-file@127.0.0.1:6379',
  CACHE_REDIS_URL: 'redis://:of-a-file@127.0.0.1:6380',
  STRIPE_SECRET_KEY: 'rk_live_of_a_file',
  METRICS_TOKEN: 'of-a-file',
};

const dir = mkdtempSync(join(tmpdir(), 'secrets-'));
afterAll(() => rmSync(dir, { recursive: true }));

test.each(Object.keys(secrets))('%s can come from a file', (name) => {
  const path = join(dir, name);
  writeFileSync(path, `${secrets[name]}\n`);
  const { [name]: _given, ...others } = secrets;
  expect(readConfig({ ...others, [`${name}_FILE`]: path })).toEqual(readConfig(secrets));
});
