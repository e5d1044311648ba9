import { z } from 'zod';
import { ServiceError } from '../errors.ts';
import { id } from '../ids.ts';

/** Stripe's names of the languages that its page speaks (API: `checkout/sessions/create`, `locale`). */
const locale = z.enum([
  'auto',
  'bg',
  'cs',
  'da',
  'de',
  'el',
  'en',
  'en-GB',
  'es',
  'es-419',
  'et',
  'fi',
  'fil',
  'fr',
  'fr-CA',
  'hi-IN',
  'hr',
  'hu',
  'id',
  'it',
  'ja',
  'ko',
  'lt',
  'lv',
  'ms',
  'mt',
  'nb',
  'nl',
  'pl',
  'pt',
  'pt-BR',
  'ro',
  'ru',
  'sk',
  'sl',
  'sv',
  'th',
  'tr',
  'vi',
  'zh',
  'zh-HK',
  'zh-TW',
]);

const mostPieces = 999_999;

/** How many of a price are sold at once. */
export const pieces = z.number().int().min(1).max(mostPieces);

const adjustableQuantity = z
  .strictObject({
    min: z.number().int().min(0).max(mostPieces),
    max: z.number().int().min(1).max(mostPieces),
  })
  .refine(({ min, max }) => min <= max, { path: ['max'], message: 'must not be less than min' })
  .meta({
    id: 'AdjustableQuantity',
    description:
      'The buyer may change the quantity, from `min` to `max`, which must not be less. It holds the quantities of the request.',
  });

/** What a project may have a default for. A moment at which trials end is none. */
const optionFields = {
  allow_promotion_codes: z.boolean().describe('The buyer may enter a code. Not with `promotion_code`.'),
  promotion_code: id.describe("A promotion code, or Stripe's id of one. Not with `allow_promotion_codes`."),
  automatic_tax: z
    .boolean()
    .describe("Stripe computes taxes, by the address that the buyer gives, which becomes the customer's."),
  tax_id_collection: z
    .boolean()
    .describe("The buyer may give a tax id and a business name, which becomes the customer's."),
  invoice_creation: z.boolean().describe('With `mode: payment` only.'),
  billing_address_collection: z.enum(['auto', 'required']),
  payment_method_collection: z.enum(['always', 'if_required']).describe('With `mode: subscription` only.'),
  trial_days: z.number().int().min(1).max(730).describe('With `mode: subscription` only.'),
  trial_without_card: z
    .enum(['cancel', 'pause', 'create_invoice'])
    .describe('What becomes of a trial that ends without a payment method. With `mode: subscription` only.'),
  locale: locale.describe("Stripe's name of the page's language, such as `de`, `pt-BR` or `auto`."),
  adjustable_quantity: adjustableQuantity,
  ui_mode: z
    .enum(['hosted', 'embedded'])
    .describe(
      "A page of Stripe's, or one inside of yours (Stripe.js). Absent: as the addresses say it, then the project's default, then hosted.",
    ),
  expires_in_seconds: z
    .number()
    .int()
    .min(1_800)
    .max(86_400)
    .describe('After which time the session ends by itself; Stripe is asked for 1,860 to 86,390.'),
};

/** The same in a request. */
export const checkoutOptions = z.object(optionFields).partial().shape;

/** What a project stores. Fields of a newer version of the service are left out. */
export const checkoutDefaults = z.object(optionFields).partial().meta({ id: 'CheckoutDefaults' });
export type CheckoutDefaults = z.output<typeof checkoutDefaults>;

/** What `PATCH` accepts: `null` takes one default away. */
export const checkoutDefaultsPatch = z
  .strictObject({
    allow_promotion_codes: optionFields.allow_promotion_codes.nullable(),
    promotion_code: optionFields.promotion_code.nullable(),
    automatic_tax: optionFields.automatic_tax.nullable(),
    tax_id_collection: optionFields.tax_id_collection.nullable(),
    invoice_creation: optionFields.invoice_creation.nullable(),
    billing_address_collection: optionFields.billing_address_collection.nullable(),
    payment_method_collection: optionFields.payment_method_collection.nullable(),
    trial_days: optionFields.trial_days.nullable(),
    trial_without_card: optionFields.trial_without_card.nullable(),
    locale: optionFields.locale.nullable(),
    adjustable_quantity: optionFields.adjustable_quantity
      .nullable()
      .describe('The buyer may change the quantity, from `min` to `max`, which must not be less.'),
    ui_mode: optionFields.ui_mode.nullable(),
    expires_in_seconds: optionFields.expires_in_seconds.nullable(),
  })
  .partial()
  .meta({ id: 'CheckoutDefaultsChanges' });
export type CheckoutDefaultsPatch = z.output<typeof checkoutDefaultsPatch>;

/**
 * The defaults after a `PATCH`: absent fields stay, fields that are `null` are removed, and `null` removes all. Throws
 * `invalid_request` where two of them exclude each other.
 */
export function patchCheckoutDefaults(
  before: CheckoutDefaults,
  patch: CheckoutDefaultsPatch | null,
): CheckoutDefaults {
  if (patch === null) return {};
  const merged = Object.entries({ ...before, ...patch }).filter(
    ([, value]) => value !== null && value !== undefined,
  );
  const after = checkoutDefaults.parse(Object.fromEntries(merged));
  if (after.promotion_code !== undefined && after.allow_promotion_codes === true)
    throw new ServiceError('invalid_request', 'Choose one of them: send the other as null.', {
      errors: [
        { path: 'checkout_defaults.promotion_code', message: 'does not go with allow_promotion_codes' },
      ],
    });
  return after;
}
