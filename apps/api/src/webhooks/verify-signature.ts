import { createHmac } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { secondMs, ServiceError } from '@billing/domain';
import type { Clock } from '@billing/domain';
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

function assertNotAhead(header: string, clock: Clock): void {
  const times = header.split(',').filter((part) => part.trim().startsWith('t='));
  const digits = times[0]?.trim().slice(2) ?? '';
  if (times.length !== 1 || !/^\d{1,12}$/.test(digits))
    throw refused('Send one timestamp, of digits, in Stripe-Signature.');
  const seconds = Number(digits);
  if (seconds * secondMs > clock() + toleranceSeconds * secondMs)
    throw refused('The timestamp of the signature lies in the future: check the clock of the sender.');
}

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

type VerifyDeps = Pick<AppDeps, 'stripe' | 'clock' | 'config' | 'metrics'>;
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

export const signatureFailures = ['header', 'timestamp', 'mismatch'] as const;

/** For the metric. Only a right signature at a wrong time points to a clock; a tolerance of 0 ignores the time. */
function whyRefused(deps: VerifyDeps, signed: Signed | undefined): (typeof signatureFailures)[number] {
  if (signed === undefined) return 'header';
  return isSigned(deps, signed, 0) ? 'timestamp' : 'mismatch';
}

/**
 * Throws `invalid_signature` unless one of the secrets signed exactly these bytes within five minutes of now (there are
 * several while one is rolled). The payload is not parsed before.
 */
export function verifySignature(deps: VerifyDeps, request: IncomingMessage, body: Buffer): void {
  let signed: Signed | undefined;
  try {
    signed = { body, header: onlyHeader(request) };
    assertNotAhead(signed.header, deps.clock);
    if (!isSigned(deps, signed, toleranceSeconds))
      throw refused('Sign the exact body with the secret of this endpoint, within five minutes.');
  } catch (error) {
    deps.metrics.webhookSignatureFailures.inc({ reason: whyRefused(deps, signed) });
    throw error;
  }
}
