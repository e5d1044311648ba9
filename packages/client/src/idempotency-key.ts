/**
 * A key that nobody else makes. `crypto` is no global in Node 18, and `randomUUID` not in a browser's page
 * without TLS; the last resort is still unique enough within one project and 24 hours.
 */
export function createIdempotencyKey(): string {
  const source: Partial<typeof globalThis.crypto> | undefined = globalThis.crypto;
  if (typeof source?.randomUUID === 'function') return source.randomUUID();
  return `${Date.now().toString(36)}-${randomPart()}-${randomPart()}`;
}

const randomPart = (): string => Math.random().toString(36).slice(2).padEnd(11, '0');

/** Why `value` cannot be sent as an `Idempotency-Key`, or null. 255 characters is also Stripe's limit. */
export const idempotencyKeyProblem = (value: string): string | null =>
  /^[\x21-\x7e]{1,255}$/.test(value) ? null : 'must be 1 to 255 visible ASCII characters';
