import { parse } from 'node:querystring';
import { entitlementsQuery } from '@billing/domain';
import { assert, constantFrom, oneof, property, string, webQueryParameters } from 'fast-check';
import { userOfSimpleQuery } from './check-entitlements.ts';

const path = '/api/v1/entitlements?';

describe('a check in its simple form', () => {
  it('is read as the parsed query is', () => {
    const query = oneof(
      string({ unit: 'binary' }),
      string({
        unit: constantFrom('a', 'Z', '9', '.', '_', '~', '-', '+', '%', '4', '&', '=', ' ', '#', '/'),
      }),
      webQueryParameters(),
    );
    assert(
      property(query, (text) => {
        const url = `${path}user_id=${text}`;
        const userId = userOfSimpleQuery(url);
        if (userId === null) return;
        expect(entitlementsQuery.parse({ ...parse(url.slice(path.length)) })).toEqual({ user_id: userId });
      }),
      { numRuns: Number(process.env['PROPERTY_RUNS'] ?? 2_000) },
    );
  });

  it.each([
    ['user_id=user_1', 'user_1'],
    [`user_id=${'x'.repeat(256)}`, 'x'.repeat(256)],
    [`user_id=${'x'.repeat(257)}`, null],
    ['user_id=', null],
    ['user_id=a&user_id=b', null],
    ['user_id=a&explain=true', null],
    ['user_id=a%20b', null],
    ['user_id=a+b', null],
    ['user_id[]=a', null],
    ['project_id=p&user_id=a', null],
  ])('%s', (query, expected) => expect(userOfSimpleQuery(path + query)).toBe(expected));
});
