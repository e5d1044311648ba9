import { randomBytes } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { signWebhook } from './sign-webhook.ts';
import { createWebhookSecrets } from './webhook-secrets.ts';

const [one, two] = [randomBytes(32).toString('base64'), randomBytes(32).toString('base64')];
const now = Date.UTC(2026, 10, 1);

const endpoint = (keyId: string) => ({
  id: 'whe_1',
  generation: 1,
  keyId,
  previousGeneration: null,
  previousKeyId: null,
  previousUntil: null,
});

test('a secret is the same in every process that has its key, and another for each endpoint, generation and key', () => {
  const secrets = createWebhookSecrets([one, two]);
  const [first = '', second = ''] = secrets.keyIds;
  const found = [
    endpoint(first),
    { ...endpoint(first), id: 'whe_2' },
    { ...endpoint(first), generation: 2 },
    endpoint(second),
  ].map((each) => secrets.newest(each));
  expect(found).toEqual(found.map(() => expect.stringMatching(/^whsec_[A-Za-z0-9+/]{43}=$/)));
  expect(new Set(found).size).toBe(4);
  expect(createWebhookSecrets([one]).newest(endpoint(first))).toBe(found[0]);
});

test('a new first key changes no secret, and a key that is missing makes none', () => {
  const [keyId = ''] = createWebhookSecrets([one]).keyIds;
  const before = createWebhookSecrets([one]).newest(endpoint(keyId));
  expect(createWebhookSecrets([two, one]).newest(endpoint(keyId))).toBe(before);
  expect(createWebhookSecrets([two]).newest(endpoint(keyId))).toBeNull();
  expect(createWebhookSecrets([two]).living(endpoint(keyId), now)).toBeNull();
  expect(createWebhookSecrets([]).keyIds).toEqual([]);
});

test.each([
  ['the overlap', now + 1, 2],
  ['its end', now, 1],
])('after a rotation, in %s, %p', (_when, until, count) => {
  const secrets = createWebhookSecrets([two, one]);
  const [newer = '', older = ''] = secrets.keyIds;
  const rotated = {
    ...endpoint(newer),
    generation: 2,
    previousGeneration: 1,
    previousKeyId: older,
    previousUntil: new Date(until),
  };
  const living = secrets.living(rotated, now) ?? [];
  expect(living).toEqual([secrets.newest(rotated), secrets.newest(endpoint(older))].slice(0, count));
  // Only while both sign is the older key needed.
  expect(createWebhookSecrets([two]).living(rotated, now)).toEqual(count === 2 ? null : living);
});

test('every living secret verifies what is signed, by the library of receivers', () => {
  const secrets = createWebhookSecrets([one]);
  const [keyId = ''] = secrets.keyIds;
  const living = [1, 2].map((generation) => secrets.newest({ id: 'whe_1', generation, keyId }) ?? '');
  const body = JSON.stringify({ type: 'webhook.ping', data: { text: 'äöü' } });
  const headers = signWebhook({ id: 'msg_1', body, at: new Date(), secrets: living });
  expect(headers['webhook-signature']?.split(' ')).toHaveLength(2);
  for (const secret of living) expect(new Webhook(secret).verify(body, headers)).toEqual(JSON.parse(body));
  const other = secrets.newest({ id: 'whe_1', generation: 3, keyId }) ?? '';
  expect(() => new Webhook(other).verify(body, headers)).toThrow('No matching signature found');
});
