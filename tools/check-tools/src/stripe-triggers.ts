/** The events that `stripe trigger` makes at the offline Stripe, with all the objects that they need. */
export const stripeTriggers = [
  'customer.created',
  'customer.updated',
  'customer.deleted',
  'customer.subscription.created',
  'customer.subscription.updated',
  'customer.subscription.deleted',
  'customer.subscription.trial_will_end',
  'product.created',
  'product.updated',
  'price.created',
  'price.updated',
] as const;
