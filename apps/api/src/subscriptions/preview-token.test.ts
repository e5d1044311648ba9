import { digestOf, openPreview, previewMs, sealPreview } from './preview-token.ts';

const key = 'sk_test_of_this_test';
const now = 1_795_000_000_000;
const shown = { projectId: 'p', subscriptionId: 'sub_1', change: [{ price: 'a' }], amounts: [100, 0, 'usd'] };
const token = sealPreview(key, { shown, prorationDate: 1_795_000_000, expiresAt: now + previewMs });

test('a token says what was shown, for ten minutes', () => {
  const opened = { prorationDate: 1_795_000_000, expiresAt: now + previewMs, shown: digestOf(shown) };
  expect(openPreview(key, token, now + previewMs - 1)).toEqual(opened);
  expect(openPreview(key, token, now + previewMs)).toBeNull();
});

test.each([
  ['nothing', ''],
  ['no signature', token.split('.')[0] ?? ''],
  ['another signature', `${token.slice(0, -4)}AAAA`],
  ['more', `${token}.x`],
  ['another second', `${Buffer.from('{"prorationDate":1}').toString('base64url')}.${token.split('.')[1]}`],
])('%s is none', (_name, forged) => {
  expect(openPreview(key, forged, now)).toBeNull();
});

test("another key's token is none", () => {
  expect(openPreview('sk_test_other', token, now)).toBeNull();
});

test.each([
  { ...shown, projectId: 'q' },
  { ...shown, subscriptionId: 'sub_2' },
  { ...shown, change: [{ price: 'b' }] },
  { ...shown, amounts: [101, 0, 'usd'] },
])('anything else that is shown differs', (other) => {
  expect(digestOf(other)).not.toBe(digestOf(shown));
});
