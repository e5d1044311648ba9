import { z } from 'zod';
import { id } from '../ids.ts';

/** Stripe's limits ("Metadata"): 50 keys, key 40 characters, value 500; four keys are the service's own. */
export const reservedMetadataKeys = ['user_id', 'project_id', 'price_id', 'quantity'] as const;
const maxOwnKeys = 50 - reservedMetadataKeys.length;

/** What Stripe takes and Postgres can store. */
const metadataValue = z
  .string()
  .max(500)
  .refine((value) => !/[\p{Cs}\uFFFD]|(?![\n\r\t])\p{Cc}/u.test(value), {
    message: 'must be well-formed Unicode without control characters',
  })
  .meta({ pattern: String.raw`^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\ufffd]*$` });

const metadata = z
  .record(z.string().regex(/^[^[\]\p{Cc}\p{Cs}\uFFFD]{1,40}$/u), metadataValue)
  .refine((value) => Object.keys(value).length <= maxOwnKeys, {
    message: `must have at most ${maxOwnKeys} keys`,
  })
  .refine((value) => reservedMetadataKeys.every((key) => !(key in value)), {
    message: `must not use the reserved keys ${reservedMetadataKeys.join(', ')}`,
  })
  .meta({
    description: `Copied to Stripe's session. Not among its keys: ${reservedMetadataKeys.join(', ')}.`,
    maxProperties: maxOwnKeys,
    propertyNames: { pattern: '^[^[\\]\\u0000-\\u001f\\u007f-\\u009f\\ufffd]{1,40}$' },
  });

/** https, or http to this machine; no user information, no control characters or backslashes. */
export function redirectProblem(value: string): string | null {
  if (value.length > 5000) return 'must have at most 5000 characters';
  if (/[\p{Cc}\p{Cs}\uFFFD\\\s]/u.test(value))
    return 'must not contain spaces, backslashes or control characters';
  if (!/^https?:\/\/[^/]/i.test(value)) return 'must be an absolute https URL';
  if (!URL.canParse(value)) return 'must be an absolute https URL';
  // Also where it is empty, which URL forgets.
  if (/^[^/]*\/\/[^/?#]*@/.test(value)) return 'must not contain user information';
  const url = new URL(value);
  const isLocal = ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);
  if (url.protocol === 'http:' && !isLocal) return 'must use https (http only for localhost)';
  return null;
}

/**
 * What the API description says of origins. URL takes a little more (names beyond ASCII, addresses in numbers): a
 * pattern that is simple and never promises too much is worth more to a client than an exact one.
 */
export const originPattern = String.raw`(?:https:\/\/(?:[A-Za-z0-9-]+\.)*[A-Za-z][A-Za-z0-9-]*|http:\/\/(?:localhost|127\.0\.0\.1|\[::1\]))(?::(?:[1-9]\d{0,3}|[1-5]\d{4}))?`;

export const redirectUrl = z
  .string()
  .superRefine((value, context) => {
    const problem = redirectProblem(value);
    if (problem !== null) context.addIssue({ code: 'custom', message: problem });
  })
  .meta({
    description: 'An absolute https URL (http for localhost only) without user information.',
    maxLength: 5000,
    pattern: String.raw`^${originPattern}(?:[\/?#][^\s\\\u0000-\u001f\u007f-\u009f\ufffd]*)?$`,
  });

const ownProject = id.optional().describe('The project of the API key; may be left out.');

export const checkoutRequest = z
  .strictObject({
    user_id: id,
    project_id: ownProject,
    price_id: id.describe("Our id of the price, or Stripe's."),
    mode: z.enum(['subscription', 'payment']),
    success_url: redirectUrl,
    cancel_url: redirectUrl,
    quantity: z.number().int().min(1).max(999_999).optional(),
    trial_days: z.number().int().min(1).max(730).optional().describe('For the mode subscription only.'),
    email: z.email().max(512).optional(),
    metadata: metadata.optional(),
  })
  .meta({ id: 'CheckoutRequest' });
export type CheckoutRequest = z.output<typeof checkoutRequest>;

export const checkoutResponse = z
  .object({
    checkout_url: z.url(),
    session_id: z.string(),
    expires_at: z.iso.datetime(),
  })
  .meta({ id: 'CheckoutResponse' });
export type CheckoutResponse = z.output<typeof checkoutResponse>;

export const portalRequest = z
  .strictObject({
    user_id: id,
    project_id: ownProject,
    return_url: redirectUrl,
  })
  .meta({ id: 'PortalRequest' });
export type PortalRequest = z.output<typeof portalRequest>;

export const portalResponse = z
  .object({ portal_url: z.url(), expires_at: z.iso.datetime() })
  .meta({ id: 'PortalResponse' });
export type PortalResponse = z.output<typeof portalResponse>;
