import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { isAllowedAddress } from '../webhooks/allowed-address.ts';
import { findSettingWarnings, parseEnv } from './parse-env.ts';
import {
  webhookFields,
  webhookRetryFields,
  webhookRetrySettings,
  webhookSettings,
} from './webhook-fields.ts';

const schema = z.object({ ...webhookFields, ...webhookRetryFields });
const key = (): string => randomBytes(32).toString('base64');

test('without settings nothing but https to public addresses is called, as the contract of deliveries says', () => {
  const parsed = parseEnv(schema, {});
  expect(webhookSettings(parsed)).toEqual({
    keys: [],
    timeoutMs: 15_000,
    allowsHttp: false,
    allowedNetworks: [],
    proxy: undefined,
  });
  expect(webhookRetrySettings(parsed)).toEqual({
    scheduleMs: [0, 5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400].map((s) => s * 1_000),
    disableAfterMs: 120 * 3_600_000,
  });
});

test.each([
  ['WEBHOOK_SECRET_KEY', key(), true],
  ['WEBHOOK_SECRET_KEY', `${key()}, ${key()}`, true],
  ['WEBHOOK_SECRET_KEY', randomBytes(31).toString('base64'), false],
  ['WEBHOOK_SECRET_KEY', randomBytes(33).toString('base64'), false],
  ['WEBHOOK_SECRET_KEY', randomBytes(32).toString('hex'), false],
  ['WEBHOOK_RETRY_SCHEDULE', '0', true],
  ['WEBHOOK_RETRY_SCHEDULE', '0, 0.2,60', true],
  ['WEBHOOK_RETRY_SCHEDULE', '0,,5', false],
  ['WEBHOOK_RETRY_SCHEDULE', '0,-5', false],
  ['WEBHOOK_RETRY_SCHEDULE', '0,soon', false],
  ['WEBHOOK_RETRY_SCHEDULE', '0,9999999', false],
  ['WEBHOOK_ALLOWED_NETWORKS', '10.0.0.0/8,fd00::/8, 192.168.1.4', true],
  ['WEBHOOK_ALLOWED_NETWORKS', '10.0.0.0/8,example.com', false],
  ['WEBHOOK_ALLOWED_NETWORKS', '10.0.0.0/33', false],
  ['WEBHOOK_PROXY', 'http://user:word@smokescreen:4750', true],
  ['WEBHOOK_PROXY', 'smokescreen:4750', false],
  ['WEBHOOK_TIMEOUT_SECONDS', '0', false],
  ['WEBHOOK_DISABLE_AFTER_HOURS', '0.001', true],
  ['WEBHOOK_ALLOW_HTTP', 'yes', false],
])('%s=%s is right: %p', (name, value, isRight) => {
  expect(schema.safeParse({ [name]: value }).success).toBe(isRight);
});

test('networks that are allowed are read as networks', () => {
  const { allowedNetworks } = webhookSettings(
    parseEnv(schema, { WEBHOOK_ALLOWED_NETWORKS: '10.0.0.0/8,192.168.1.4' }),
  );
  expect(
    ['10.9.9.9', '192.168.1.4', '192.168.1.5'].map((one) => isAllowedAddress(one, allowedNetworks)),
  ).toEqual([true, true, false]);
});

test.each([
  [
    'production',
    [{ event: 'webhooks_may_be_unencrypted', variable: 'WEBHOOK_ALLOW_HTTP', parameter: 'true' }],
  ],
  ['development', []],
])('in %s, http warns as %p', (environment, warnings) => {
  const env = { NODE_ENV: environment, WEBHOOK_ALLOW_HTTP: 'true' };
  expect(findSettingWarnings(schema, env)).toEqual(warnings);
});
