import { BillingError } from './billing-error.ts';
import { findServerCrypto } from './server-crypto.ts';
import type { WebhookMessage } from './webhook-wire.ts';

type HeadersObject = { get(name: string): string | null };
/** Headers as Node, Express and Fastify have them, or as `fetch`'s `Headers`. */
export type WebhookHeaders = HeadersObject | Readonly<Record<string, string | readonly string[] | undefined>>;

const secretPrefix = 'whsec_';
/** Either way: older is a replay, newer a clock that is wrong. */
const toleranceSeconds = 300;

const refused = (detail: string): BillingError => new BillingError({ code: 'invalid_signature', detail });

/**
 * Verifies what a webhook endpoint received, by the signature of Standard Webhooks, and returns the message. `payload` is the
 * raw body, as it came; `secret` that of the endpoint, or several, while one is replaced.
 * Throws a `BillingError` (`invalid_signature`; `invalid_payload`: signed, but no message): answer it with 400. Throws a
 * `TypeError` where what it is called with is a mistake: a body that was parsed, a secret that is none.
 */
export function verifyWebhook(
  payload: string | Uint8Array,
  headers: WebhookHeaders,
  secret: string | readonly string[],
): WebhookMessage {
  if (typeof payload !== 'string' && !(payload instanceof Uint8Array))
    throw new TypeError('payload must be the raw body (text or bytes), not what was parsed from it');
  const keys = [secret].flat().map(toKey);
  if (keys.length === 0) throw new TypeError('secret must be the secret of the endpoint, or several');
  const read = createReader(headers);
  const signed = { id: read('webhook-id'), timestamp: read('webhook-timestamp') };
  requireRecent(signed.timestamp);
  const signatures = v1Signatures(read('webhook-signature'));
  if (!signatures.some((signature) => keys.some((key) => isSignedBy(key, signature, { ...signed, payload }))))
    throw refused(
      'No signature fits: check the secret, and that the raw body is verified, without a byte changed.',
    );
  return parseMessage(payload);
}

const isHeadersObject = (headers: WebhookHeaders): headers is HeadersObject =>
  typeof Reflect.get(headers, 'get') === 'function';

/** Refuses what is absent or there twice. */
function createReader(headers: WebhookHeaders): (name: string) => string {
  const find = isHeadersObject(headers) ? (name: string) => headers.get(name) : byLowerCase(headers);
  return (name) => {
    const found = find(name);
    // Servers that list the values of each header have one of these.
    const value: unknown = Array.isArray(found) && found.length === 1 ? found[0] : found;
    if (typeof value === 'string' && value !== '') return value;
    throw refused(`The header ${name} is missing: this is no webhook of the billing service.`);
  };
}

function byLowerCase(headers: Readonly<Record<string, unknown>>): (name: string) => unknown {
  const values = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  return (name) => values.get(name);
}

function requireRecent(timestamp: string): void {
  const seconds = /^\d{1,12}$/.test(timestamp) ? Number(timestamp) : Number.NaN;
  const ageSeconds = Date.now() / 1_000 - seconds;
  if (Number.isNaN(ageSeconds)) throw refused('The header webhook-timestamp is no number of seconds.');
  if (ageSeconds > toleranceSeconds)
    throw refused('The webhook is too old. Check the clock of this machine.');
  if (ageSeconds < -toleranceSeconds)
    throw refused('The webhook comes from the future. Check the clock of this machine.');
}

const base64 = /^[A-Za-z0-9+/]+={0,2}$/;

function toBytes(text: string): Uint8Array {
  return Uint8Array.from(globalThis.atob(text), (character) => character.charCodeAt(0));
}

function toKey(secret: unknown): Uint8Array {
  const text = typeof secret === 'string' ? secret.trim().replace(secretPrefix, '') : '';
  if (!base64.test(text) || text.length % 4 === 1)
    throw new TypeError('secret must be the secret of the endpoint (whsec_…)');
  return toBytes(text);
}

/** Of the kinds of signatures in the header, those that are known. */
const v1Signatures = (header: string): Uint8Array[] =>
  header.split(' ').flatMap((part) => {
    const [, text = ''] = /^v1,(.*)$/.exec(part) ?? [];
    return base64.test(text) && text.length % 4 === 0 ? [toBytes(text)] : [];
  });

type Signed = { id: string; timestamp: string; payload: string | Uint8Array };

function isSignedBy(key: Uint8Array, signature: Uint8Array, { id, timestamp, payload }: Signed): boolean {
  const { createHmac, timingSafeEqual } = findServerCrypto();
  const expected = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(payload).digest();
  return signature.length === expected.length && timingSafeEqual(signature, expected);
}

const isMessage = (value: unknown): value is WebhookMessage =>
  typeof value === 'object' &&
  value !== null &&
  typeof Reflect.get(value, 'type') === 'string' &&
  typeof Reflect.get(value, 'timestamp') === 'string' &&
  typeof Reflect.get(value, 'data') === 'object' &&
  Reflect.get(value, 'data') !== null;

function parseMessage(payload: string | Uint8Array): WebhookMessage {
  let message: unknown;
  try {
    message = JSON.parse(typeof payload === 'string' ? payload : new TextDecoder().decode(payload));
  } catch {
    message = undefined;
  }
  if (isMessage(message)) return message;
  throw new BillingError({
    code: 'invalid_payload',
    detail: 'The webhook is signed, but is no message of the billing service. Check whose secret this is.',
  });
}
