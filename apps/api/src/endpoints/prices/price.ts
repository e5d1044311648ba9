import { priceOut, toTimestampOrNull } from '@billing/domain';
import type { PriceOut } from '@billing/domain';
import { termsOf } from '@billing/store';
import type { Price } from '@billing/store';
import { datesExample, presentDates } from '../page.ts';

export function presentPrice(row: Price): PriceOut {
  const { amount, currency, interval, intervalCount, usageType } = termsOf(row);
  return {
    project_id: row.projectId,
    price_id: row.priceId,
    product_id: row.productId,
    stripe_price_id: row.stripePriceId,
    amount,
    currency,
    interval,
    interval_count: intervalCount,
    usage_type: usageType,
    access_days: row.accessDays,
    is_archived: row.isArchived,
    verified_at: toTimestampOrNull(row.verifiedAt?.getTime() ?? null),
    ...presentDates(row),
  };
}

export const priceExample = {
  project_id: 'shop',
  price_id: 'premium_monthly',
  product_id: 'premium',
  stripe_price_id: 'price_123',
  amount: 1000,
  currency: 'usd',
  interval: 'month',
  interval_count: 1,
  usage_type: 'licensed',
  access_days: null,
  is_archived: false,
  verified_at: '2026-11-22T10:00:00.000Z',
  ...datesExample,
};

export const priceAnswer = { description: 'The price.', schema: priceOut, example: priceExample };
