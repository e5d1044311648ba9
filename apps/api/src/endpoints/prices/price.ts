import { priceIntervals, priceOut } from '@billing/domain';
import type { PriceOut } from '@billing/domain';
import type { Price } from '@billing/store';
import { z } from 'zod';
import { datesExample, presentDates } from '../page.ts';

const interval = z.enum(priceIntervals);

export const presentPrice = (row: Price): PriceOut => ({
  project_id: row.projectId,
  price_id: row.priceId,
  product_id: row.productId,
  stripe_price_id: row.stripePriceId,
  amount: Number(row.amount),
  currency: row.currency,
  interval: interval.parse(row.interval),
  access_days: row.accessDays,
  is_archived: row.isArchived,
  ...presentDates(row),
});

export const priceExample = {
  project_id: 'shop',
  price_id: 'premium_monthly',
  product_id: 'premium',
  stripe_price_id: 'price_123',
  amount: 1000,
  currency: 'usd',
  interval: 'month',
  access_days: null,
  is_archived: false,
  ...datesExample,
};

export const priceAnswer = { description: 'The price.', schema: priceOut, example: priceExample };
