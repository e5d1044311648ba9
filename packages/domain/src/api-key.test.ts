import * as fc from 'fast-check';
import { apiKeyPrefix, apiKeyRandomBytes, formatApiKey, isWellFormedApiKey } from './api-key.ts';

const randoms = fc.uint8Array({ minLength: apiKeyRandomBytes, maxLength: apiKeyRandomBytes });

describe('API keys', () => {
  test('are well-formed, whatever the randomness', () => {
    fc.assert(
      fc.property(randoms, (random) => {
        const key = formatApiKey(random);
        expect(key).toMatch(/^proj_[0-9A-Za-z]{38}$/);
        expect(isWellFormedApiKey(key)).toBe(true);
        expect(key.startsWith(apiKeyPrefix(key))).toBe(true);
        expect(apiKeyPrefix(key)).toHaveLength(11);
      }),
    );
  });

  test('differ where the randomness differs', () => {
    fc.assert(
      fc.property(randoms, randoms, (one, other) => {
        fc.pre(!one.every((byte, index) => byte === other[index]));
        expect(formatApiKey(one)).not.toBe(formatApiKey(other));
      }),
    );
  });

  test('with one character changed are refused', () => {
    const key = formatApiKey(Uint8Array.from({ length: apiKeyRandomBytes }, (_, index) => index * 11));
    for (let index = 0; index < key.length; index += 1) {
      const changed = key.slice(0, index) + (key[index] === 'x' ? 'y' : 'x') + key.slice(index + 1);
      expect(isWellFormedApiKey(changed)).toBe(false);
    }
  });

  test.each(['', 'proj_', 'proj_short', `proj_${'0'.repeat(39)}`, `proj_${'é'.repeat(38)}`, 'sk_test_123'])(
    'do not look like %p',
    (text) => {
      expect(isWellFormedApiKey(text)).toBe(false);
    },
  );

  test('need the right number of random bytes', () => {
    expect(() => formatApiKey(new Uint8Array(4))).toThrow(TypeError);
  });
});
