import { createIdempotencyKey, idempotencyKeyProblem } from './retry.ts';

test('keys are valid and unique', () => {
  const keys = Array.from({ length: 10_000 }, createIdempotencyKey);
  expect(new Set(keys).size).toBe(keys.length);
  expect(keys.filter((key) => idempotencyKeyProblem(key) !== null)).toEqual([]);
});

describe('where the platform has no crypto', () => {
  const original = Object.getOwnPropertyDescriptor(globalThis, 'crypto');
  beforeAll(() => {
    Object.defineProperty(globalThis, 'crypto', { value: undefined, configurable: true });
  });
  afterAll(() => {
    if (original !== undefined) Object.defineProperty(globalThis, 'crypto', original);
  });

  test('keys are still valid and unique', () => {
    const keys = Array.from({ length: 10_000 }, createIdempotencyKey);
    expect(new Set(keys).size).toBe(keys.length);
    expect(keys.filter((key) => idempotencyKeyProblem(key) !== null)).toEqual([]);
  });
});

test.each(['', 'a b', 'a\nb', 'schlüssel', 'x'.repeat(256)])('%p is not a valid key', (key) => {
  expect(idempotencyKeyProblem(key)).not.toBeNull();
});
