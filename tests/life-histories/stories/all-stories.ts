import { changeStories } from './changes.ts';
import { purchaseStories } from './purchases.ts';
import { reversalStories } from './reversals.ts';
import type { Story } from './story.ts';
import { subscriptionStories } from './subscriptions.ts';

export const stories: readonly Story[] = [
  ...subscriptionStories,
  ...changeStories,
  ...purchaseStories,
  ...reversalStories,
];
