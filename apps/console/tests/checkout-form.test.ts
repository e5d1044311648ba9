import type { CheckoutDefaults } from '@billing/domain';
import { checkoutChanges, checkoutFields } from '../src/pages/projects/checkout-form.ts';
import { initialValues } from '../src/parts/values.ts';
import { checkoutNames, describeCheckout } from '../src/words/checkout.ts';

const before: CheckoutDefaults = {
  allow_promotion_codes: true,
  automatic_tax: false,
  trial_days: 14,
  locale: 'pt-BR',
  adjustable_quantity: { min: 1, max: 10 },
};
const start = initialValues(checkoutFields(before));
const changesOf = (more: Record<string, string>) =>
  checkoutChanges({ ...start, ...more }, before, checkoutNames);

test('only what is written differently is sent; what is emptied is taken away', () => {
  expect(changesOf({})).toEqual({});
  expect(changesOf({ trial_days: '', automatic_tax: 'unset', tax_id_collection: 'false' })).toEqual({
    trial_days: null,
    automatic_tax: null,
    tax_id_collection: false,
  });
  expect(changesOf({ quantity_max: '20', ui_mode: 'embedded', expires_in_seconds: '3600' })).toEqual({
    adjustable_quantity: { min: 1, max: 20 },
    ui_mode: 'embedded',
    expires_in_seconds: 3_600,
  });
  expect(() => changesOf({ quantity_min: '' })).toThrow('the least and the most');
});

test('each setting says what it does, also where it is not set', () => {
  const effects = Object.fromEntries(describeCheckout(before).map(({ name, effect }) => [name, effect]));
  expect(effects).toMatchObject({
    trial_days: 'Subscriptions begin with a trial of 14 days.',
    locale: 'The page’s language is Brazilian Portuguese.',
    adjustable_quantity: 'The buyer may choose from 1 to 10 pieces.',
    invoice_creation: 'What is paid once has no invoice.',
  });
  expect(describeCheckout({ locale: 'auto' }).filter(({ isSet }) => isSet)).toHaveLength(1);
});
