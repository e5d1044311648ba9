import { dayMs } from '@billing/domain';
import type { StatedRow } from './stated-feature-rules.test-support.ts';

const elsewhere = 'https://else.example/';
const noAddress = { success_url: undefined, cancel_url: undefined };

/** Of checkouts: rules, and requests that break them. `order`: a valid body; what is given wins. */
export function checkoutRows(order: (more: object) => object, the: (name: string) => string): StatedRow[] {
  const row = (rule: StatedRow[0], field: string, more: () => object): StatedRow => [
    rule,
    'createCheckout',
    field,
    () => ({ body: order(more()) }),
  ];
  const ahead = (days: number): string => new Date(Date.now() + days * dayMs).toISOString();
  const ofTrials = {
    trial_days: 3,
    trial_end: ahead(3),
    trial_without_card: 'pause',
    payment_method_collection: 'always',
  };
  return [
    ...Object.entries(ofTrials).map(([field, value]) =>
      row('trialWithPayment', field, () => ({ mode: 'payment', [field]: value })),
    ),
    row('invoiceOfSubscription', 'invoice_creation', () => ({ invoice_creation: true })),
    row('neitherPriceNorItems', 'price_id', () => ({ price_id: undefined })),
    row('bothPriceAndItems', 'items', () => ({ items: [{ price_id: the('price_id') }] })),
    row('quantityOfItems', 'quantity', () => ({
      price_id: undefined,
      items: [{ price_id: the('price_id') }],
      quantity: 2,
    })),
    row('priceTwice', 'items.1.price_id', () => ({
      price_id: undefined,
      items: [{ price_id: the('price_id') }, { price_id: the('stripe_price_id') }],
    })),
    row('codesThatExcludeEachOther', 'promotion_code', () => ({
      promotion_code: 'A',
      allow_promotion_codes: true,
    })),
    row('twoTrials', 'trial_end', () => ({ trial_days: 3, trial_end: ahead(3) })),
    ...[1, 731].map((days) => row('trialEndsTooSoon', 'trial_end', () => ({ trial_end: ahead(days) }))),
    row('addressOfOtherPage', 'success_url', () => ({ success_url: undefined })),
    row('addressOfOtherPage', 'cancel_url', () => ({ cancel_url: undefined })),
    row('addressOfOtherPage', 'return_url', () => ({ return_url: elsewhere })),
    row('addressOfOtherPage', 'return_url', () => ({ ui_mode: 'embedded', ...noAddress })),
    row('addressOfOtherPage', 'success_url', () => ({ ui_mode: 'embedded', return_url: elsewhere })),
    row('redirectElsewhere', 'return_url', () => ({
      ...noAddress,
      ui_mode: 'embedded',
      return_url: elsewhere,
    })),
    row('leastAboveMost', 'adjustable_quantity.max', () => ({ adjustable_quantity: { min: 2, max: 1 } })),
    row('quantityOutOfRange', 'adjustable_quantity', () => ({
      quantity: 4,
      adjustable_quantity: { min: 1, max: 3 },
    })),
  ];
}
