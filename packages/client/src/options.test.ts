import { inspect } from 'node:util';
import { createBillingClient } from './create-billing-client.ts';
import type { BillingClientOptions } from './options.ts';

const fine = { baseUrl: 'https://billing.internal', apiKey: 'proj_1' };

test.each<[string, Partial<Record<keyof BillingClientOptions, unknown>>]>([
  ['baseUrl', { baseUrl: 'billing.internal' }],
  ['baseUrl', { baseUrl: 'ftp://billing.internal' }],
  ['baseUrl', { baseUrl: 'https://user:word@billing.internal' }],
  ['baseUrl', { baseUrl: 'https://billing.internal?x=1' }],
  ['baseUrl', { baseUrl: undefined }],
  ['apiKey', { apiKey: '' }],
  ['apiKey', { apiKey: undefined }],
  ['apiKey', { apiKey: 'proj_secret\r\nx-evil: 1' }],
  ['timeoutMs', { timeoutMs: 0 }],
  ['timeoutMs', { timeoutMs: Number.POSITIVE_INFINITY }],
  ['retries', { retries: -1 }],
  ['retries', { retries: 1.5 }],
  ['retries', { retries: Number.NaN }],
  ['onUnavailable', { onUnavailable: 'maybe' }],
  ['cache.ttlMs', { cache: { ttlMs: 0 } }],
  ['cache.ttlMs', { cache: { ttlMs: 60_001 } }],
  ['cache.maxEntries', { cache: { ttlMs: 1_000, maxEntries: 0 } }],
])('a wrong %s is refused by name, without its value', (name, wrong) => {
  const create = () => createBillingClient({ ...fine, ...wrong } as BillingClientOptions);
  expect(create).toThrow(TypeError);
  expect(create).toThrow(name);
  expect(create).not.toThrow('secret');
});

test('without a fetch anywhere the error says what to pass', () => {
  const original = globalThis.fetch;
  Reflect.deleteProperty(globalThis, 'fetch');
  try {
    expect(() => createBillingClient(fine)).toThrow(/pass `fetch`/);
  } finally {
    globalThis.fetch = original;
  }
});

test('a client that is logged shows no key', () => {
  const client = createBillingClient({ ...fine, apiKey: 'proj_very_secret' });
  expect(inspect(client, { depth: 5, showHidden: true })).not.toContain('secret');
  expect(JSON.stringify(client)).not.toContain('secret');
});
