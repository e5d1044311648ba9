import { createHmac } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { secondMs, ServiceError } from '@billing/domain';
import type { Clock } from '@billing/domain';
import { authAreas } from '@billing/platform';
import type { Login } from '@billing/platform';
import { Stripe } from 'stripe';
import type { AppDeps } from '../deps.ts';

/** Stripe's own default, applied both ways: the official check accepts any time in the future. */
const toleranceSeconds = 300;

const refused = (detail: string): ServiceError => new ServiceError('invalid_signature', detail);

/**
 * Exactly one header: two would be joined, and one of them could be forged. Looked for among the raw headers, as
 * `headersDistinct` would sort all of them.
 */
function onlyHeader({ rawHeaders }: IncomingMessage): string {
  const found: string[] = [];
  for (let index = 0; index < rawHeaders.length; index += 2)
    if (rawHeaders[index]?.toLowerCase() === 'stripe-signature') found.push(rawHeaders[index + 1] ?? '');
  const [header] = found;
  if (header === undefined || found.length !== 1) throw refused('Send exactly one Stripe-Signature header.');
  return header;
}

/** When it was signed, in seconds. */
function timestampOf(header: string): number {
  const times = header.split(',').filter((part) => part.trim().startsWith('t='));
  const digits = times[0]?.trim().slice(2) ?? '';
  if (times.length !== 1 || !/^\d{1,12}$/.test(digits))
    throw refused('Send one timestamp, of digits, in Stripe-Signature.');
  return Number(digits);
}

const isAhead = (header: string, clock: Clock): boolean =>
  timestampOf(header) * secondMs > clock() + toleranceSeconds * secondMs;

/**
 * Stripe's check over the exact bytes: the library would decode them as UTF-8 first, which changes bytes that are not
 * valid UTF-8. Latin-1 has a character for each byte.
 */
class RawBytes extends Stripe.CryptoProvider {
  override computeHMACSignature(payload: string, secret: string): string {
    return createHmac('sha256', secret).update(payload, 'latin1').digest('hex');
  }
}
const rawBytes = new RawBytes();

type VerifyDeps = Pick<AppDeps, 'stripe' | 'clock' | 'config' | 'metrics' | 'authFailures'>;
type Signed = { body: Buffer; header: string };

function isSigned(
  { stripe, clock, config }: VerifyDeps,
  { body, header }: Signed,
  tolerance: number,
): boolean {
  const { signature } = stripe.webhooks;
  if (signature === null) throw new Error('the stripe package came without its signature check');
  // The library takes an empty text for a missing one.
  const payload = body.length === 0 ? body : body.toString('latin1');
  return config.webhookSecrets.some((secret) => {
    try {
      return signature.verifyHeader(payload, header, secret, tolerance, rawBytes, clock());
    } catch (error) {
      if (error instanceof Stripe.errors.StripeSignatureVerificationError) return false;
      throw error;
    }
  });
}

export const signatureFailures = authAreas.webhooks;
type Reason = (typeof signatureFailures)[number];

/** For the metric. Only a right signature at a wrong time points to a clock; a tolerance of 0 ignores the time. */
const whyRefused = (deps: VerifyDeps, signed: Signed): Reason =>
  isSigned(deps, signed, 0) ? 'timestamp' : 'mismatch';

/** Counted, and never slowed down: Stripe's own deliveries may come from the same address. */
function refuse({ metrics, authFailures }: VerifyDeps, login: Login, reason: Reason, error: unknown): never {
  metrics.webhookSignatureFailures.inc({ reason });
  throw error instanceof ServiceError ? authFailures.misused(login, error, reason) : error;
}

/**
 * The signature of a request, as far as it can be checked before the body is read: one header, with one timestamp and a
 * signature of version 1. Throws `invalid_signature`.
 */
export function requireSignature(deps: VerifyDeps, login: Login & { request: IncomingMessage }): string {
  try {
    const header = onlyHeader(login.request);
    timestampOf(header);
    if (!/(?:^|,)\s*v1=[0-9a-f]+\s*(?:,|$)/i.test(header))
      throw refused('Send a signature in hexadecimal digits as v1 in Stripe-Signature.');
    return header;
  } catch (error) {
    return refuse(deps, login, 'header', error);
  }
}

/**
 * Throws `invalid_signature` unless one of the secrets signed exactly these bytes within five minutes of now (there are
 * several while one is rolled). The payload is not parsed before.
 */
export function verifySignature(deps: VerifyDeps, login: Login, signed: Signed): void {
  const ahead = isAhead(signed.header, deps.clock);
  if (!ahead && isSigned(deps, signed, toleranceSeconds)) return;
  const error = refused(
    ahead
      ? 'The timestamp of the signature lies in the future: check the clock of the sender.'
      : 'Sign the exact body with the secret of this endpoint, within five minutes.',
  );
  refuse(deps, login, whyRefused(deps, signed), error);
}
