import { noClaims, ownMetadata } from './claims.ts';

const read = (metadata: unknown) => ownMetadata.parse(metadata);
const nothing = { claims: noClaims, priceId: null, quantity: 1 };

test('what checkout wrote is read', () => {
  const metadata = { user_id: 'ann', project_id: 'shop', price_id: 'monthly', quantity: '3', note: 'x' };
  expect(read(metadata)).toEqual({
    claims: { projectId: 'shop', userId: 'ann', userSource: 'metadata' },
    priceId: 'monthly',
    quantity: 3,
  });
});

test.each([[null], [undefined], [{}], [JSON.parse('{"__proto__":{"user_id":"ann"}}')]])(
  '%j claims nothing',
  (metadata) => {
    expect(read(metadata)).toEqual(nothing);
  },
);

const noIds: [string, unknown][] = [
  ['empty', ''],
  ['257 characters', 'x'.repeat(257)],
  ['a leading space', ' ann'],
  ['a trailing space', 'ann '],
  ['a line break', 'ann\n'],
  ['NUL', 'a\0b'],
  ['an escape', 'a\u001bb'],
  ['a C1 control character', 'a\u0085b'],
  ['the replacement character', 'a\ufffdb'],
  ['half a character', 'a\ud800b'],
  ['a number', 7],
  ['a list', ['ann']],
  ['an object', { id: 'ann' }],
  ['null', null],
];

describe.each(['user_id', 'project_id', 'price_id'])('%s', (name) => {
  test.each(noIds)('%s is no id and counts as absent', (_what, value) => {
    expect(read({ [name]: value })).toEqual(nothing);
  });
});

test.each<[unknown, number]>([
  ['1', 1],
  ['999999999', 999_999_999],
  ['0', 0],
  ['-2', 1],
  ['1.5', 1],
  ['1e3', 1],
  ['1234567890', 1],
  ['many', 1],
  [3, 1],
  [undefined, 1],
])('a quantity of %j is %d', (quantity, expected) => {
  expect(read({ quantity }).quantity).toBe(expected);
});
