import { z } from 'zod';
import { hasAtMost, id, isPlainText } from '../ids.ts';
import { timestamp } from '../time.ts';
import { checkoutOptions, pieces } from './checkout-options.ts';
import { ownProject, redirectUrlThat } from './checkout.ts';

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

/** One price of a checkout that sells several. */
const checkoutItem = z
  .strictObject({
    price_id: id.describe("Our id of the price, or Stripe's."),
    quantity: pieces.optional().describe('Default 1. Not of a metered price.'),
  })
  .meta({ id: 'CheckoutItem' });

const mostItems = 20;

type Combined = {
  mode: 'subscription' | 'payment';
  price_id?: string | undefined;
  quantity?: number | undefined;
  items?: readonly unknown[] | undefined;
  promotion_code?: string | undefined;
  allow_promotion_codes?: boolean | undefined;
  trial_days?: number | undefined;
  trial_end?: number | undefined;
};

const ofSubscriptions = [
  'trial_days',
  'trial_end',
  'trial_without_card',
  'payment_method_collection',
] as const;

/** What excludes each other, whatever the project's defaults are: the path of each problem, and what it is. */
function combinationProblems(request: Combined): [string, string][] {
  const { items, price_id: price, quantity, promotion_code: code } = request;
  const isCodeTyped = request.allow_promotion_codes === true;
  const given = (name: string): boolean => Object.hasOwn(request, name);
  const wrongMode =
    request.mode === 'payment'
      ? ofSubscriptions.filter(given)
      : ['invoice_creation'].filter((name) => given(name));
  const rightMode = request.mode === 'payment' ? 'subscription' : 'payment';
  return [
    ...wrongMode.map((name): [string, string] => [name, `is for the mode ${rightMode} only`]),
    ...pick(items === undefined && price === undefined, 'price_id', 'is missing: send price_id or items'),
    ...pick(items !== undefined && price !== undefined, 'items', 'does not go with price_id'),
    ...pick(items !== undefined && quantity !== undefined, 'quantity', 'does not go with items'),
    ...pick(code !== undefined && isCodeTyped, 'promotion_code', 'does not go with allow_promotion_codes'),
    ...pick(given('trial_end') && given('trial_days'), 'trial_end', 'does not go with trial_days'),
  ];
}

const pick = (isWrong: boolean, path: string, message: string): [string, string][] =>
  isWrong ? [[path, message]] : [];

export const checkoutRequest = z
  .strictObject({
    user_id: id,
    project_id: ownProject,
    price_id: id
      .optional()
      .describe("Our id of the price, or Stripe's. Exactly one of `price_id` and `items`."),
    quantity: pieces
      .optional()
      .describe('Of `price_id`; default 1. Not with `items`, nor of a metered price.'),
    items: z
      .array(checkoutItem)
      .min(1)
      .max(mostItems)
      .optional()
      .describe(
        'Several prices at once: exactly one of `price_id` and `items`. Each price once, and of one group one plan.',
      ),
    mode: z
      .enum(['subscription', 'payment'])
      .describe(
        '`subscription` if any of the prices is paid again and again, `payment` if all are paid once (`one_time`).',
      ),
    success_url: redirectUrlThat('Required with `ui_mode: hosted`, not with `embedded`.').optional(),
    cancel_url: redirectUrlThat('Required with `ui_mode: hosted`, not with `embedded`.').optional(),
    return_url: redirectUrlThat('Required with `ui_mode: embedded`, not with `hosted`.').optional(),
    email: z.email().max(512).optional(),
    metadata: metadata.optional(),
    ...checkoutOptions,
    trial_end: timestamp(
      'When the trial ends, 48 hours to 730 days ahead. With `mode: subscription` only; not with `trial_days`.',
    ).optional(),
  })
  .superRefine((request, context) => {
    for (const [path, message] of combinationProblems(request))
      context.addIssue({ code: 'custom', path: [path], message });
  })
  .meta({ id: 'CheckoutRequest' });
export type CheckoutRequest = z.output<typeof checkoutRequest>;

export const checkoutResponse = z
  .object({
    checkout_url: z.url().nullable().describe('Null with `ui_mode: embedded`.'),
    client_secret: z
      .string()
      .optional()
      .describe('With `ui_mode: embedded` only: what Stripe.js shows the page with. Do not log it.'),
    session_id: z.string(),
    expires_at: z.iso.datetime(),
    warnings: z
      .array(z.enum(['possible_duplicate']))
      .optional()
      .describe(
        "`possible_duplicate`: a buyer who typed this user's id has a live subscription to the same price or group; ask the user, and confirm it (`POST /api/v1/customers/confirm`) instead of selling twice. Absent: none.",
      ),
  })
  .meta({ id: 'CheckoutResponse' });
export type CheckoutResponse = z.output<typeof checkoutResponse>;
