import { createCipheriv, createDecipheriv, createHash, createHmac, randomBytes } from 'node:crypto';
import type { UserKey } from '../change-user.ts';

/** What stands for an erased user, in hexadecimal, and which key made it. */
export type UserDigest = { keyId: string; digest: string };

/**
 * The keys of `ERASURE_KEY`. A digest tells whether a user is one who was erased, and nobody without the key can find out who
 * that was by trying ids.
 */
export type ErasureKeys = {
  /** Public names of the keys, the first one's first; empty: none is configured. */
  readonly ids: readonly string[];
  /** One for each key, the first one's first. */
  digestsOf: (user: UserKey) => UserDigest[];
  /** Encrypts a text with the first key. Throws without one. */
  seal: (text: string) => string;
  /** The text; null: sealed with a key that is not here, or changed since. */
  open: (sealed: string) => string | null;
};

type Key = { id: string; secret: Buffer; sealing: Buffer };

function toKey(encoded: string): Key {
  const secret = Buffer.from(encoded, 'base64');
  const derive = (purpose: string): Buffer => createHmac('sha256', secret).update(purpose).digest();
  const id = createHash('sha256').update(derive('id')).digest('hex').slice(0, 16);
  return { id, secret: derive('users'), sealing: derive('seal') };
}

const ivBytes = 12;
const tagBytes = 16;

function decrypt({ sealing }: Key, whole: Buffer): string | null {
  const decipher = createDecipheriv('aes-256-gcm', sealing, whole.subarray(0, ivBytes));
  decipher.setAuthTag(whole.subarray(ivBytes, ivBytes + tagBytes));
  try {
    return Buffer.concat([decipher.update(whole.subarray(ivBytes + tagBytes)), decipher.final()]).toString();
  } catch {
    return null;
  }
}

/** `encoded`: 32 bytes each, as base64; the first makes digests, all of them match. */
export function createErasureKeys(encoded: readonly string[]): ErasureKeys {
  const keys = encoded.map(toKey);
  return {
    ids: keys.map(({ id }) => id),
    // Length-prefixed, so that no two pairs share a digest.
    digestsOf: ({ projectId, userId }) =>
      keys.map(({ id, secret }) => ({
        keyId: id,
        digest: createHmac('sha256', secret)
          .update(`${Buffer.byteLength(projectId)}:${projectId}:${userId}`)
          .digest('hex'),
      })),
    seal: (text) => {
      const [key] = keys;
      if (key === undefined) throw new Error('no erasure key is configured');
      const iv = randomBytes(ivBytes);
      const cipher = createCipheriv('aes-256-gcm', key.sealing, iv);
      const sealed = Buffer.concat([cipher.update(text), cipher.final()]);
      return `${key.id}.${Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString('base64url')}`;
    },
    open: (sealed) => {
      const [id, content = ''] = sealed.split('.');
      const key = keys.find((one) => one.id === id);
      const whole = Buffer.from(content, 'base64url');
      return key === undefined || whole.length < ivBytes + tagBytes ? null : decrypt(key, whole);
    },
  };
}
