import { z } from 'zod';
import { hasAtMost, id, isPlainText } from '../ids.ts';

/** Stripe ("Metadata"): 50 keys of up to 40 characters, values of up to 500. Four keys are the service's own. */
const reservedMetadataKeys = ['user_id', 'project_id', 'price_id', 'quantity'] as const;
const maxOwnKeys = 50 - reservedMetadataKeys.length;

const metadataValue = z
  .string()
  .refine(hasAtMost(500), { message: 'must have at most 500 characters' })
  .refine(isPlainText, { message: 'must be well-formed Unicode without control characters' })
  .meta({
    maxLength: 500,
    pattern: String.raw`^[^\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u009F\uFFFD]*$`,
  });

const metadata = z
  .record(z.string().regex(/^[^[\]\p{Cc}\p{Cs}\uFFFD]{1,40}$/u), metadataValue)
  .refine((value) => Object.keys(value).length <= maxOwnKeys, {
    message: `must have at most ${maxOwnKeys} keys`,
  })
  .refine((value) => reservedMetadataKeys.every((key) => !(key in value)), {
    message: `must not use the reserved keys ${reservedMetadataKeys.join(', ')}`,
  })
  .meta({
    description: `Copied to Stripe's session. Refused are the reserved keys ${reservedMetadataKeys.join(', ')}, and __proto__.`,
    maxProperties: maxOwnKeys,
    propertyNames: { pattern: '^[^[\\]\\u0000-\\u001F\\u007F-\\u009F\\uFFFD]{1,40}$' },
  });

/** Plain http is for development: only to this machine. */
const isSecure = ({ protocol, hostname }: URL): boolean =>
  protocol === 'https:' || (protocol === 'http:' && ['localhost', '127.0.0.1', '[::1]'].includes(hostname));

/** Why a URL may not be redirected to; null: it may. */
function redirectProblem(value: string): string | null {
  if (value.length > 5000) return 'must have at most 5000 characters';
  if (/[\p{Cc}\p{Cs}\uFFFD\\\s]/u.test(value))
    return 'must not contain spaces, backslashes or control characters';
  if (!/^https?:\/\/[^/]/i.test(value)) return 'must be an absolute https URL';
  if (!URL.canParse(value)) return 'must be an absolute https URL';
  // Not by `URL`, which drops user information that is empty.
  if (/^[^/]*\/\/[^/?#]*@/.test(value)) return 'must not contain user information';
  return isSecure(new URL(value)) ? null : 'must use https (http only for localhost)';
}

/**
 * Origins in the API description. The validation accepts a little more (names beyond ASCII, numeric addresses),
 * but this pattern is simple and everything that matches it is accepted.
 */
const originPattern = String.raw`(?:https:\/\/(?:[A-Za-z0-9-]+\.)*[A-Za-z][A-Za-z0-9-]*|http:\/\/(?:localhost|127\.0\.0\.1|\[::1\]))(?::(?:[1-9]\d{0,3}|[1-5]\d{4}))?`;

const redirectUrl = z
  .string()
  .superRefine((value, context) => {
    const problem = redirectProblem(value);
    if (problem !== null) context.addIssue({ code: 'custom', message: problem });
  })
  .meta({
    description:
      "An absolute https URL (http for localhost only) without user information, whose host name is valid (IDNA); at one of the project's `redirect_origins`, where it has some.",
    maxLength: 5000,
    pattern: String.raw`^${originPattern}(?:[\/?#][^\s\\\u0000-\u001F\u007F-\u009F\uFFFD]*)?$`,
  });

/** An origin that redirects may lead to, stored as browsers write it. */
export const redirectOrigin = z
  .string()
  .max(2000)
  .transform((value, context) => {
    const origin = URL.canParse(value) ? new URL(value) : null;
    if (origin === null || !isBareOrigin(origin, value)) {
      context.addIssue({ code: 'custom', message: 'must be an origin such as https://app.example.com' });
      return z.NEVER;
    }
    return origin.origin;
  })
  .meta({
    description:
      'An origin such as https://app.example.com (http for localhost only), whose host name is valid (IDNA).',
    pattern: String.raw`^${originPattern}\/?$`,
  });

function isBareOrigin(url: URL, written: string): boolean {
  const isBare = url.pathname === '/' && url.search === '' && url.hash === '' && !/[?#\\\s]/.test(written);
  // `URL` accepts `*` in a host name, but a wildcard is not supported.
  const isOneHost = !url.hostname.includes('*');
  return isSecure(url) && isBare && isOneHost && url.username === '' && url.password === '';
}

const ownProject = id.optional().describe('Optional; must be the project of the API key.');

export const checkoutRequest = z
  .strictObject({
    user_id: id,
    project_id: ownProject,
    price_id: id.describe("Our id of the price, or Stripe's."),
    mode: z
      .enum(['subscription', 'payment'])
      .describe('`subscription` for prices by month and year, `payment` for those by `one_time`.'),
    success_url: redirectUrl,
    cancel_url: redirectUrl,
    quantity: z.number().int().min(1).max(999_999).optional(),
    trial_days: z.number().int().min(1).max(730).optional().describe('With `mode: subscription` only.'),
    email: z.email().max(512).optional(),
    metadata: metadata.optional(),
  })
  .refine(({ mode, trial_days: days }) => days === undefined || mode === 'subscription', {
    path: ['trial_days'],
    message: 'is for the mode subscription only',
  })
  .meta({ id: 'CheckoutRequest' });
export type CheckoutRequest = z.output<typeof checkoutRequest>;

export const checkoutResponse = z
  .object({
    checkout_url: z.url(),
    session_id: z.string(),
    expires_at: z.iso.datetime(),
    warnings: z
      .array(z.enum(['possible_duplicate']))
      .optional()
      .describe(
        "`possible_duplicate`: a buyer who typed this user's id has a live subscription to the same price; ask the user, and confirm it (`POST /api/v1/customers/confirm`) instead of selling twice. Absent: none.",
      ),
  })
  .meta({ id: 'CheckoutResponse' });
export type CheckoutResponse = z.output<typeof checkoutResponse>;

export const confirmCustomerRequest = z
  .strictObject({
    user_id: id,
    project_id: ownProject,
    source_id: id.describe('As the explanation of entitlements shows it, with `owner_source: buyer_hint`.'),
  })
  .meta({ id: 'CustomerConfirmation' });
export type ConfirmCustomerRequest = z.output<typeof confirmCustomerRequest>;

export const confirmedCustomer = z
  .object({
    user_id: z.string(),
    source_id: z.string(),
    stripe_customer_id: z
      .string()
      .nullable()
      .describe(
        "The customer that is the user's now; null: it was bought without one, and alone is the user's.",
      ),
  })
  .meta({ id: 'ConfirmedCustomer' });
export type ConfirmedCustomer = z.output<typeof confirmedCustomer>;

/** What the portal may be opened at. */
export const portalFlows = ['payment_method_update', 'subscription_cancel', 'subscription_update'] as const;

export const portalRequest = z
  .strictObject({
    user_id: id,
    project_id: ownProject,
    return_url: redirectUrl,
    flow: z
      .enum(portalFlows)
      .optional()
      .describe(
        'Opens the portal at one task, after which the user is sent to `return_url`. Absent: at its first page.',
      ),
    subscription_id: id
      .optional()
      .describe(
        "A subscription of the user's: the customer that holds it is opened. Required with the flows `subscription_cancel` and `subscription_update`, unless the user has exactly one live subscription.",
      ),
    configuration: id
      .optional()
      .describe(
        "Stripe's configuration of the portal (`bpc_…`). Absent: the project's `portal_configuration`, else the account's default.",
      ),
  })
  .meta({ id: 'PortalRequest' });
export type PortalRequest = z.output<typeof portalRequest>;

export const portalResponse = z
  .object({ portal_url: z.url(), expires_at: z.iso.datetime() })
  .meta({ id: 'PortalResponse' });
export type PortalResponse = z.output<typeof portalResponse>;
