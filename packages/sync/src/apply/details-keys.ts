import type { PaymentDetails } from '@billing/domain';

/** What was sold, as far as a lookup tells. */
export const pricesOfDetails = ({ lineItems, invoice }: PaymentDetails): string[] =>
  [...(lineItems ?? []), ...(invoice === null || invoice.id === null ? [] : invoice.sold)].map(
    (item) => item.stripePriceId,
  );

/** The objects for which the payment's money matters, as far as a lookup tells. */
export const relatedIdsOfDetails = ({ invoice }: PaymentDetails): string[] =>
  invoice === null || invoice.id === null
    ? []
    : [invoice.id, invoice.subscriptionId].filter((id) => id !== null);
