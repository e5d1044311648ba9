import { randomBytes } from 'node:crypto';
import { createErasureKeys } from './erasure-keys.ts';

const newKey = (): string => randomBytes(32).toString('base64');
const [first, second] = [newKey(), newKey()];
const user = { projectId: 'shop', userId: 'ann' };

test('a digest is the same in every process, and differs for every project, user and key', () => {
  const keys = createErasureKeys([first, second]);
  const all = [
    ...keys.digestsOf(user),
    ...keys.digestsOf({ projectId: 'shop', userId: 'bob' }),
    ...keys.digestsOf({ projectId: 'shopa', userId: 'nn' }),
    ...keys.digestsOf({ projectId: '4:shop:', userId: 'ann' }),
  ].map(({ digest }) => digest);
  expect(new Set(all).size).toBe(8);
  expect(createErasureKeys([first, second]).digestsOf(user)).toEqual(keys.digestsOf(user));
});

test('the first key makes digests, and the older one still matches', () => {
  const [before] = createErasureKeys([first]).digestsOf(user);
  const rotated = createErasureKeys([second, first]);
  expect(rotated.digestsOf(user).map((one) => one.digest)).toContain(before?.digest);
  expect(rotated.digestsOf(user)[0]?.keyId).toBe(createErasureKeys([second]).ids[0]);
});

test('a name of a key tells nothing of it', () => {
  const [id = ''] = createErasureKeys([first]).ids;
  expect(id).toMatch(/^[0-9a-f]{16}$/);
  expect(Buffer.from(first, 'base64').toString('hex')).not.toContain(id);
});

test('what is sealed is opened by its key alone, and only as it was', () => {
  const keys = createErasureKeys([first]);
  const sealed = keys.seal('ada@example.com');
  expect(sealed).not.toContain('ada@');
  expect(keys.seal('ada@example.com')).not.toBe(sealed);
  expect(createErasureKeys([second, first]).open(sealed)).toBe('ada@example.com');
  expect(createErasureKeys([second]).open(sealed)).toBeNull();
  const at = sealed.length - 3;
  expect(keys.open(sealed.slice(0, at) + (sealed[at] === 'A' ? 'B' : 'A') + sealed.slice(at + 1))).toBeNull();
  expect(keys.open('')).toBeNull();
});
