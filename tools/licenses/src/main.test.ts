import { findRefused, lockfile } from './main.ts';

const refusedOf = (packages: Record<string, object>): string[] =>
  findRefused(lockfile.parse({ packages })).refused.map(({ name, license }) => `${name}: ${license}`);

test.each([
  ['MIT', true],
  ['(MIT OR GPL-3.0-only)', true],
  ['(MIT AND Zlib)', true],
  ['Apache-2.0', true],
  ['GPL-3.0-only', false],
  ['(MIT AND GPL-3.0-only)', false],
  ['AGPL-3.0-or-later', false],
  ['BUSL-1.1', false],
  ['EPL-2.0', false],
  ['UNLICENSED', false],
  ['SEE LICENSE IN LICENSE.md', false],
  ['', false],
])('%p is allowed: %p', (license, isAllowed) => {
  const refused = refusedOf({ 'node_modules/a': { version: '1.2.3', license } });
  expect(refused).toEqual(isAllowed ? [] : [`a@1.2.3: ${license}`]);
});

test('a package without a licence is refused, however deep it lies', () => {
  const path = 'apps/api/node_modules/@scope/a';
  expect(refusedOf({ [path]: { version: '1.0.0' } })).toEqual(['@scope/a@1.0.0: none named']);
});

test.each([
  ['development dependencies', { 'node_modules/a': { license: 'GPL-3.0-only', dev: true } }],
  [
    'packages that the images leave out',
    { 'node_modules/a': { license: 'GPL-3.0-only', devOptional: true } },
  ],
  ['links to our own packages', { 'node_modules/@billing/api': { link: true } }],
  ['our own packages', { '': { license: 'UNLICENSED' }, 'apps/api': { license: 'UNLICENSED' } }],
])('%s are not checked', (_what, packages) => {
  expect(findRefused(lockfile.parse({ packages }))).toEqual({ checked: 0, refused: [] });
});
