import type { CheckoutDefaults } from '@billing/domain';
import { givenNumber, givenText, textOf } from '../../parts/values.ts';
import type { Field, Values } from '../../parts/values.ts';
import { checkoutEffect, checkoutLocales, checkoutSettings } from '../../words/checkout.ts';

type Name = keyof CheckoutDefaults;

/** A select has no value of its own for it. */
const unset = 'unset';

const shared = (name: Name) => ({
  name,
  label: checkoutSettings[name].label,
  path: `checkout_defaults.${name}`,
});

/** One of a few values, each by its effect. */
function choice<Of extends Name>(
  name: Of,
  choices: readonly (CheckoutDefaults[Of] & (string | boolean))[],
  before: CheckoutDefaults,
): Field {
  const chosen = choices.find((value) => value === before[name]);
  const options = choices.map((value) => ({ value: String(value), label: checkoutEffect(name, value) }));
  return {
    ...shared(name),
    kind: 'select',
    options: [{ value: unset, label: `Not set: ${checkoutSettings[name].none}` }, ...options],
    initial: chosen === undefined ? unset : String(chosen),
  };
}

const yesOrNo = [true, false] as const;

/** A number whose effect is said while it is written. */
function count(name: 'trial_days' | 'expires_in_seconds', before: CheckoutDefaults): Field {
  return {
    ...shared(name),
    kind: 'number',
    description: (values) => checkoutEffect(name, givenNumber(values, name)),
    initial: String(before[name] ?? ''),
  };
}

const localeIn = (values: Values): CheckoutDefaults['locale'] =>
  checkoutLocales.find((one) => one === textOf(values, 'locale'));

function quantityIn(values: Values): CheckoutDefaults['adjustable_quantity'] {
  const [min, max] = [givenNumber(values, 'quantity_min'), givenNumber(values, 'quantity_max')];
  if (min === undefined && max === undefined) return undefined;
  if (min === undefined || max === undefined)
    throw new Error('Say the least and the most pieces, or neither of them.');
  return { min, max };
}

/** A field for each default of the checkout. */
export const checkoutFields = (before: CheckoutDefaults): Field[] => [
  choice('allow_promotion_codes', yesOrNo, before),
  {
    ...shared('promotion_code'),
    kind: 'text',
    description: (values) => checkoutEffect('promotion_code', givenText(values, 'promotion_code')),
    initial: before.promotion_code ?? '',
  },
  choice('automatic_tax', yesOrNo, before),
  choice('tax_id_collection', yesOrNo, before),
  choice('invoice_creation', yesOrNo, before),
  choice('billing_address_collection', ['auto', 'required'], before),
  choice('payment_method_collection', ['always', 'if_required'], before),
  count('trial_days', before),
  choice('trial_without_card', ['cancel', 'pause', 'create_invoice'], before),
  {
    ...shared('locale'),
    kind: 'suggest',
    options: checkoutLocales,
    description: (values) => checkoutEffect('locale', localeIn(values)),
    initial: before.locale ?? '',
  },
  {
    kind: 'number',
    name: 'quantity_min',
    label: 'Least pieces',
    path: 'checkout_defaults.adjustable_quantity.min',
    description: 'Empty, with the most: the buyer cannot change the quantity.',
    initial: String(before.adjustable_quantity?.min ?? ''),
  },
  {
    kind: 'number',
    name: 'quantity_max',
    label: 'Most pieces',
    path: 'checkout_defaults.adjustable_quantity.max',
    initial: String(before.adjustable_quantity?.max ?? ''),
  },
  choice('ui_mode', ['hosted', 'embedded'], before),
  count('expires_in_seconds', before),
];

const booleans = { true: true, false: false, [unset]: undefined };

/** A field's value as the API has it; undefined: it is not set. */
function valueOf(values: Values, name: Name): unknown {
  if (name === 'adjustable_quantity') return quantityIn(values);
  if (name === 'trial_days' || name === 'expires_in_seconds') return givenNumber(values, name);
  const text = textOf(values, name);
  if (text === 'true' || text === 'false' || text === unset) return booleans[text];
  return text === '' ? undefined : text;
}

/** What is written differently now; null takes a default away. */
export function checkoutChanges(
  values: Values,
  before: CheckoutDefaults,
  names: readonly Name[],
): Record<string, unknown> {
  const written = names.map((name) => [name, valueOf(values, name)] as const);
  const changed = written.filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(before[name]));
  return Object.fromEntries(changed.map(([name, value]) => [name, value ?? null]));
}
