import { createHash, hkdfSync } from 'node:crypto';

/** Of an endpoint, as far as its secrets depend on it. */
export type SecretGenerations = {
  id: string;
  generation: number;
  /** The fingerprint of the key that made the generation. */
  keyId: string;
  previousGeneration: number | null;
  previousKeyId: string | null;
  /** Until then the previous generation signs too. */
  previousUntil: Date | null;
};

/**
 * Secrets of endpoints, derived from the keys of `WEBHOOK_SECRET_KEY` and never stored. A generation of an endpoint's secret is made
 * with the first key and stays that key's.
 */
export type WebhookSecrets = {
  /** Fingerprints of the keys, the first one's first; empty: none is configured. */
  readonly keyIds: readonly string[];
  /** The newest secret, as receivers take it (`whsec_…`); null: its key is not here. */
  newest: (endpoint: Pick<SecretGenerations, 'id' | 'generation' | 'keyId'>) => string | null;
  /** Those that sign at this moment, the newest first; null: a key of them is not here. */
  living: (endpoint: SecretGenerations, now: number) => string[] | null;
};

const secretBytes = 32;

const derive = (key: Buffer, info: string): Buffer =>
  Buffer.from(hkdfSync('sha256', key, '', info, secretBytes));

const fingerprint = (key: Buffer): string =>
  createHash('sha256').update(derive(key, 'billing webhook key id')).digest('hex').slice(0, 16);

/** `encoded`: 32 bytes each, as base64; the first makes new secrets. */
export function createWebhookSecrets(encoded: readonly string[]): WebhookSecrets {
  const keys = new Map(
    encoded.map((text) => {
      const key = Buffer.from(text, 'base64');
      return [fingerprint(key), key] as const;
    }),
  );
  const secretOf = (keyId: string, endpointId: string, generation: number): string | null => {
    const key = keys.get(keyId);
    // No two pairs of endpoint and generation share a text: a generation is a number.
    const info = `billing webhook secret ${generation} ${endpointId}`;
    return key === undefined ? null : `whsec_${derive(key, info).toString('base64')}`;
  };
  const newest: WebhookSecrets['newest'] = ({ id, generation, keyId }) => secretOf(keyId, id, generation);
  return {
    keyIds: [...keys.keys()],
    newest,
    living: (endpoint, now) => {
      const { id, previousGeneration, previousKeyId, previousUntil } = endpoint;
      const hasPrevious =
        previousGeneration !== null &&
        previousKeyId !== null &&
        previousUntil !== null &&
        previousUntil.getTime() > now;
      const secrets = [
        newest(endpoint),
        ...(hasPrevious ? [secretOf(previousKeyId, id, previousGeneration)] : []),
      ];
      const known = secrets.filter((secret) => secret !== null);
      return known.length === secrets.length ? known : null;
    },
  };
}
