import type { CheckoutDefaults } from '@billing/domain';

type Name = keyof Required<CheckoutDefaults>;
type Locale = NonNullable<CheckoutDefaults['locale']>;

/** A setting of a project's checkouts: what it is called, and what it does, also where the project says nothing. */
type Setting<Of extends Name> = {
  label: string;
  none: string;
  effect: (value: NonNullable<CheckoutDefaults[Of]>) => string;
};
type Settings = { readonly [Of in Name]: Setting<Of> };

/** The languages of Stripe's page: the compiler names one that is missing here. */
const pageLocales: Readonly<Record<Locale, true>> = {
  auto: true,
  bg: true,
  cs: true,
  da: true,
  de: true,
  el: true,
  en: true,
  'en-GB': true,
  es: true,
  'es-419': true,
  et: true,
  fi: true,
  fil: true,
  fr: true,
  'fr-CA': true,
  'hi-IN': true,
  hr: true,
  hu: true,
  id: true,
  it: true,
  ja: true,
  ko: true,
  lt: true,
  lv: true,
  ms: true,
  mt: true,
  nb: true,
  nl: true,
  pl: true,
  pt: true,
  'pt-BR': true,
  ro: true,
  ru: true,
  sk: true,
  sl: true,
  sv: true,
  th: true,
  tr: true,
  vi: true,
  zh: true,
  'zh-HK': true,
  'zh-TW': true,
};
const isLocale = (name: string): name is Locale => name in pageLocales;
export const checkoutLocales: readonly Locale[] = Object.keys(pageLocales).filter(isLocale);

const languages = new Intl.DisplayNames('en', { type: 'language' });
const languageOf = (locale: Locale): string =>
  locale === 'auto' ? 'that of the browser' : (languages.of(locale) ?? locale);

const spanOf = (seconds: number): string =>
  seconds < 7_200 ? `${Math.round(seconds / 60)} minutes` : `${Math.round(seconds / 3_600)} hours`;

/** What becomes of a checkout whose request does not say it. */
export const checkoutSettings: Settings = {
  allow_promotion_codes: {
    label: 'Field for promotion codes',
    none: 'There is no field for a code.',
    effect: (isOn) => (isOn ? 'The buyer may enter a promotion code.' : 'There is no field for a code.'),
  },
  promotion_code: {
    label: 'Promotion code',
    none: 'No code is applied.',
    effect: (code) => `The code ${code} is applied to every checkout.`,
  },
  automatic_tax: {
    label: 'Automatic tax',
    none: 'Stripe computes no taxes.',
    effect: (isOn) =>
      isOn ? 'Stripe computes taxes, by the address that the buyer gives.' : 'Stripe computes no taxes.',
  },
  tax_id_collection: {
    label: 'Tax ids',
    none: 'The page asks for no tax id.',
    effect: (isOn) =>
      isOn ? 'The buyer may give a tax id and a business name.' : 'The page asks for no tax id.',
  },
  invoice_creation: {
    label: 'Invoices for payments',
    none: 'What is paid once has no invoice.',
    effect: (isOn) =>
      isOn ? 'Stripe makes an invoice of what is paid once.' : 'What is paid once has no invoice.',
  },
  billing_address_collection: {
    label: 'Billing address',
    none: 'The page asks for an address where it is needed.',
    effect: (when) =>
      when === 'required'
        ? 'The page always asks for an address.'
        : 'The page asks for an address where it is needed.',
  },
  payment_method_collection: {
    label: 'Payment method of subscriptions',
    none: 'The page always asks for a payment method.',
    effect: (when) =>
      when === 'if_required'
        ? 'A trial can begin without a payment method.'
        : 'The page always asks for a payment method.',
  },
  trial_days: {
    label: 'Days of trial',
    none: 'Subscriptions begin without a trial.',
    effect: (days) => `Subscriptions begin with a trial of ${days} ${days === 1 ? 'day' : 'days'}.`,
  },
  trial_without_card: {
    label: 'Trial that ends without a payment method',
    none: 'Stripe makes an invoice, which stays unpaid.',
    effect: (what) =>
      ({
        cancel: 'The subscription is cancelled.',
        pause: 'The subscription is paused until the user gives a payment method.',
        create_invoice: 'Stripe makes an invoice, which stays unpaid.',
      })[what],
  },
  locale: {
    label: 'Language',
    none: 'The page speaks the language of the browser.',
    effect: (locale) => `The page’s language is ${languageOf(locale)}.`,
  },
  adjustable_quantity: {
    label: 'Quantity',
    none: 'The buyer cannot change the quantity.',
    effect: ({ min, max }) => `The buyer may choose from ${min} to ${max} pieces.`,
  },
  ui_mode: {
    label: 'Where the page is',
    none: 'As the addresses of the request say it; else the buyer goes to a page of Stripe.',
    effect: (mode) =>
      mode === 'embedded'
        ? 'Inside a page of the product (Stripe.js).'
        : 'The buyer goes to a page of Stripe.',
  },
  expires_in_seconds: {
    label: 'Seconds until it ends',
    none: 'A checkout that nobody pays ends by itself after a day.',
    effect: (seconds) => `A checkout that nobody pays ends by itself after ${spanOf(seconds)}.`,
  },
};

const isName = (name: string): name is Name => name in checkoutSettings;
export const checkoutNames: readonly Name[] = Object.keys(checkoutSettings).filter(isName);

/** What a setting does with this value; undefined: the project says nothing. */
export const checkoutEffect = <Of extends Name>(name: Of, value: CheckoutDefaults[Of]): string => {
  const { none, effect }: Setting<Of> = checkoutSettings[name];
  return value === undefined ? none : effect(value);
};

/** Each setting with its value and its effect. */
export const describeCheckout = (
  defaults: CheckoutDefaults,
): { name: Name; label: string; isSet: boolean; effect: string }[] =>
  checkoutNames.map((name) => ({
    name,
    label: checkoutSettings[name].label,
    isSet: defaults[name] !== undefined,
    effect: checkoutEffect(name, defaults[name]),
  }));
