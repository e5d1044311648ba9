import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseConfig } from './config.ts';

test('bad variables are all named', () => {
  expect(parseConfig({ OFFLINE_STRIPE_PORT: 'x', OFFLINE_STRIPE_WEBHOOK_URL: 'ftp://a' })).toEqual({
    badVariables: ['OFFLINE_STRIPE_PORT', 'OFFLINE_STRIPE_WEBHOOK_URL'],
  });
});

test('defaults, and of several webhook secrets the first signs', () => {
  expect(parseConfig({ STRIPE_WEBHOOK_SECRET: 'whsec_a,whsec_b', OFFLINE_STRIPE_PORT: '' })).toMatchObject({
    config: {
      port: 12_111,
      webhookSecret: 'whsec_a',
      webhookUrl: 'http://127.0.0.1:8000/api/v1/webhooks/stripe',
    },
  });
});

test('the webhook secret can come from a file', () => {
  const dir = mkdtempSync(join(tmpdir(), 'secret-'));
  const path = join(dir, 'webhook');
  writeFileSync(path, 'whsec_file,whsec_old\n');
  expect(parseConfig({ STRIPE_WEBHOOK_SECRET: '', STRIPE_WEBHOOK_SECRET_FILE: path })).toMatchObject({
    config: { webhookSecret: 'whsec_file' },
  });
  expect(parseConfig({ STRIPE_WEBHOOK_SECRET_FILE: `${path}.gone` })).toEqual({
    badVariables: ['STRIPE_WEBHOOK_SECRET_FILE'],
  });
  rmSync(dir, { recursive: true });
});
