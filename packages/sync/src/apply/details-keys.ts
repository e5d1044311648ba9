import type { BoughtItem, PaymentDetails, SoldItem } from '@billing/domain';

/** What finding who sells items takes. */
export const itemKeys = (items: readonly SoldItem[]) => ({
  priceIds: items.map((item) => item.stripePriceId),
  productIds: items.flatMap((item) => item.stripeProductId ?? []),
});

/** What was sold, as far as a lookup tells. */
export const soldByDetails = ({ lineItems, invoice }: PaymentDetails): BoughtItem[] => [
  ...(lineItems ?? []),
  ...(invoice === null || invoice.id === null ? [] : invoice.sold),
];

/** The objects for which the payment's money matters, as far as a lookup tells. */
export const relatedIdsOfDetails = ({ invoice }: PaymentDetails): string[] =>
  invoice === null || invoice.id === null
    ? []
    : [invoice.id, invoice.subscriptionId].filter((id) => id !== null);
