import { addressOf, pathOf } from '../src/api/address.ts';
import { parseSearch, stringifySearch } from '../src/app/search.ts';

test('ids in a path may hold any character', () => {
  const id = 'a/b?c#d%20 é';
  expect(pathOf`/users/${id}/x`).toBe(`/users/${encodeURIComponent(id)}/x`);
});

test('a query has what is given', () => {
  expect(addressOf('/x', { a: '', b: undefined, c: 0, d: false, e: 'ä&b' })).toBe(
    '/x?c=0&d=false&e=%C3%A4%26b',
  );
  expect(addressOf('/x', { a: '' })).toBe('/x');
});

test('filters in the address stay texts: 0012 and true are ids, too', () => {
  const search = { q: '0012', user_id: 'true', empty: '' };
  const text = stringifySearch(search);
  expect(text).toBe('?q=0012&user_id=true');
  expect(parseSearch(text)).toEqual({ q: '0012', user_id: 'true' });
});
