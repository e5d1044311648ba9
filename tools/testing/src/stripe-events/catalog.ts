import { periodStart } from './objects.ts';

export const customerObject = (parts: { id?: string } = {}) => ({
  id: parts.id ?? 'cus_1',
  object: 'customer',
  email: 'somebody@example.com',
  created: periodStart,
  livemode: false,
});

export const scheduleObject = (
  parts: { id?: string; status?: string; subscription?: string | null } = {},
) => {
  const { subscription = 'sub_1', status = 'active' } = parts;
  const isReleased = status === 'released';
  return {
    id: parts.id ?? 'sub_sched_1',
    object: 'subscription_schedule',
    customer: 'cus_1',
    status,
    subscription: isReleased ? null : subscription,
    released_subscription: isReleased ? subscription : null,
    phases: [],
    created: periodStart,
    livemode: false,
  };
};

export const priceObject = (parts: { id?: string } = {}) => ({
  id: parts.id ?? 'price_sub',
  object: 'price',
  product: 'prod_1',
  unit_amount: 4900,
  currency: 'usd',
  created: periodStart,
  livemode: false,
});

export const productObject = (parts: { id?: string } = {}) => ({
  id: parts.id ?? 'prod_1',
  object: 'product',
  name: 'Pro',
  created: periodStart,
  livemode: false,
});
