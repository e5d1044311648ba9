import { hasStringEqual, holdsId, withoutId } from './holds-id.ts';

test.each([
  ['user_1', 'a gift to user_1, who asked', true],
  ['user_1', 'user_12', false],
  ['user_1', 'myuser_1', false],
  ['user-1', 'order-user-1-7', true],
  ['ada+x@example.com', 'https://shop.example/?user=ada%2Bx%40example.com&a=1', true],
  ['ada+x@example.com', 'adaax@example.com', false],
  ['a.b', 'aXb', false],
  ['(x)[y]{z}|^$*?\\/', 'before (x)[y]{z}|^$*?\\/ after', true],
  ['Ünal', 'Ünals', false],
  ['李', '李 asked', true],
])('%j in %j: %j', (id, text, expected) => {
  expect(holdsId(text, id)).toBe(expected);
});

test('strings and names of a JSON value are replaced, and nothing else', () => {
  const value = { users: { ann: 1 }, list: ['ann', 'anna', { user_id: 'ann' }], count: 2, none: null };
  expect(withoutId(value, 'ann')).toEqual({
    users: { erased: 1 },
    list: ['erased', 'anna', { user_id: 'erased' }],
    count: 2,
    none: null,
  });
});

test('a value has an id as one of its strings, not as a part of one', () => {
  expect(hasStringEqual({ a: [{ b: 'ann' }] }, 'ann')).toBe(true);
  expect(hasStringEqual({ a: [{ b: 'ann b' }], ann: 1 }, 'ann')).toBe(false);
});
