import { z } from 'zod';
import { id } from '../ids.ts';

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

const redirectRule =
  "An absolute https URL (http for localhost only) without user information, whose host name is valid (IDNA); at one of the project's `redirect_origins`, where it has some.";

/** An address that a buyer is sent back to; `meaning` is put before the rule of its description. */
export const redirectUrlThat = (meaning: string) =>
  z
    .string()
    .superRefine((value, context) => {
      const problem = redirectProblem(value);
      if (problem !== null) context.addIssue({ code: 'custom', message: problem });
    })
    .meta({
      description: meaning === '' ? redirectRule : `${meaning} ${redirectRule}`,
      maxLength: 5000,
      pattern: String.raw`^${originPattern}(?:[\/?#][^\s\\\u0000-\u001F\u007F-\u009F\uFFFD]*)?$`,
    });
const redirectUrl = redirectUrlThat('');

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

export const ownProject = id.optional().describe('Optional; must be the project of the API key.');

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
        'Opens the portal at one task that Stripe allows: it is on in the configuration, and a subscription that ends already is not canceled. Then the user is sent to `return_url`. Absent: at its first page.',
      ),
    subscription_id: id
      .optional()
      .describe(
        "A subscription of the user's: the customer that holds it is opened. Required with the flows `subscription_cancel` and `subscription_update`, unless the user has exactly one live subscription.",
      ),
    configuration: id
      .optional()
      .describe(
        "A configuration of the portal that Stripe has (`bpc_…`). Absent: the project's `portal_configuration`; without one, or where Stripe refuses it, the account's default.",
      ),
  })
  .meta({ id: 'PortalRequest' });
export type PortalRequest = z.output<typeof portalRequest>;

export const portalResponse = z
  .object({ portal_url: z.url(), expires_at: z.iso.datetime() })
  .meta({ id: 'PortalResponse' });
export type PortalResponse = z.output<typeof portalResponse>;
