/** What verifying needs of Node's `crypto`, which Bun and Deno have as well. */
type Hmac = {
  update(data: string | Uint8Array): Hmac;
  digest(): Uint8Array;
};
export type ServerCrypto = {
  createHmac: (algorithm: string, key: Uint8Array) => Hmac;
  timingSafeEqual: (one: Uint8Array, other: Uint8Array) => boolean;
};

const isFunction = (value: unknown): value is (...values: unknown[]) => unknown =>
  typeof value === 'function';

const isServerCrypto = (value: unknown): value is ServerCrypto =>
  typeof value === 'object' &&
  value !== null &&
  isFunction(Reflect.get(value, 'createHmac')) &&
  isFunction(Reflect.get(value, 'timingSafeEqual'));

/**
 * Not imported: a page of a browser, which verifies nothing, could then not load this package. Throws a `TypeError` where
 * there is none.
 */
export function findServerCrypto(): ServerCrypto {
  const host: unknown = Reflect.get(globalThis, 'process');
  const load: unknown =
    typeof host === 'object' && host !== null ? Reflect.get(host, 'getBuiltinModule') : null;
  const found = isFunction(load) ? load('node:crypto') : undefined;
  if (isServerCrypto(found)) return found;
  throw new TypeError(
    'verifyWebhook needs Node.js 20.16, 22.3 or newer, Bun or Deno. Elsewhere use the package `standardwebhooks`.',
  );
}
