import { parse } from 'node:querystring';
import { checkQuery, entitlementsQuery } from '@billing/domain';
import { assert, constantFrom, oneof, property, string, webQueryParameters } from 'fast-check';
import { askedBySimpleQuery } from '../usage/check-usage.ts';
import { userOfSimpleQuery } from './check-entitlements.ts';

const path = '/api/v1/entitlements?';

const anyQuery = oneof(
  string({ unit: 'binary' }),
  string({
    unit: constantFrom('a', 'Z', '9', '.', '_', '~', '-', '+', '%', '4', '&', '=', ' ', '#', '/'),
  }),
  webQueryParameters(),
);

describe('a check of usage in its simple form', () => {
  const pathOfUsage = '/api/v1/check?';
  it('is read as the parsed query is', () => {
    const required = oneof(constantFrom('', '&required=', '&required=0', '&required=007'), anyQuery);
    assert(
      property(anyQuery, anyQuery, required, (user, feature, rest) => {
        const url = `${pathOfUsage}user_id=${user}&feature_code=${feature}${rest}`;
        const asked = askedBySimpleQuery(url);
        if (asked === null) return;
        expect(checkQuery.parse({ ...parse(url.slice(pathOfUsage.length)) })).toEqual(asked);
      }),
      { numRuns: Number(process.env['PROPERTY_RUNS'] ?? 2_000) },
    );
  });

  it.each([
    ['user_id=u&feature_code=f', 1],
    ['user_id=u&feature_code=f&required=0', 0],
    ['user_id=u&feature_code=f&required=999999999999', 999_999_999_999],
    ['user_id=u&feature_code=f&required=1000000000000', null],
    ['user_id=u&feature_code=f&required=1.5', null],
    ['user_id=u&feature_code=f&required=', null],
    ['feature_code=f&user_id=u', null],
    ['user_id=u&feature_code=f&min_usage_seq=1', null],
  ])('%s', (text, required) =>
    expect(askedBySimpleQuery(pathOfUsage + text)).toEqual(
      required === null ? null : { user_id: 'u', feature_code: 'f', required },
    ),
  );
});

describe('a check in its simple form', () => {
  it('is read as the parsed query is', () => {
    assert(
      property(anyQuery, (text) => {
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
