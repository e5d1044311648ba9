import { changeStories } from './changes.ts';
import { invoiceStories } from './invoices.ts';
import { latePaymentStories } from './late-payments.ts';
import { purchaseStories } from './purchases.ts';
import { reversalStories } from './reversals.ts';
import type { Story } from './story.ts';
import { subscriptionStories } from './subscriptions.ts';

export const stories: readonly Story[] = [
  ...subscriptionStories,
  ...changeStories,
  ...purchaseStories,
  ...reversalStories,
  ...invoiceStories,
  ...latePaymentStories,
];
