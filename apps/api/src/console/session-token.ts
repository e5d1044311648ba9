import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { NamedSecret } from '@billing/platform';

/**
 * What the cookie of a session holds: random bytes, and a seal over them that only the admin secret makes with which the person
 * signed in. So a cookie that nobody was given costs no look into Postgres, and a session ends with its secret.
 */
const tokenForm = /^([\w-]{43})\.([\w-]{43})$/;

const sealOf = (random: string, { name, secret }: NamedSecret): Buffer =>
  createHmac('sha256', secret).update(`console session of ${name}: ${random}`).digest();

/** By which Postgres knows a session. */
const digestOf = (random: string): Uint8Array<ArrayBuffer> =>
  new Uint8Array(createHash('sha256').update(random).digest());

export function createSessionToken(owner: NamedSecret): { token: string; digest: Uint8Array<ArrayBuffer> } {
  const random = randomBytes(32).toString('base64url');
  return { token: `${random}.${sealOf(random, owner).toString('base64url')}`, digest: digestOf(random) };
}

/** Whose token it is, of those who may sign in now; null: nobody's. Each secret is tried, in constant time. */
export function readSessionToken(
  token: string,
  adminKeys: readonly NamedSecret[],
): { owner: NamedSecret; digest: Uint8Array<ArrayBuffer> } | null {
  const [, random, seal] = tokenForm.exec(token) ?? [];
  if (random === undefined || seal === undefined) return null;
  const given = Buffer.from(seal, 'base64url');
  let owner: NamedSecret | null = null;
  for (const one of adminKeys) if (timingSafeEqual(given, sealOf(random, one))) owner = one;
  return owner === null ? null : { owner, digest: digestOf(random) };
}
