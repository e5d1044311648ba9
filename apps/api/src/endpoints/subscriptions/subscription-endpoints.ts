import type { Endpoint } from '../../http/define-endpoint.ts';
import { cancelSubscription } from './cancel-subscription.ts';
import { changeSubscription } from './change-subscription.ts';
import { dropPendingChange } from './drop-pending-change.ts';
import { getSubscription } from './get-subscription.ts';
import { listSubscriptions } from './list-subscriptions.ts';
import { pauseSubscription } from './pause-subscription.ts';
import { previewChange } from './preview-change.ts';
import { resumeSubscription } from './resume-subscription.ts';

/** Of a project's users. */
export const subscriptionEndpoints: readonly Endpoint[] = [
  listSubscriptions, //    GET    /api/v1/subscriptions
  getSubscription, //      GET    /api/v1/subscriptions/{subscription_id}
  previewChange, //        POST   /api/v1/subscriptions/{subscription_id}/preview
  changeSubscription, //   POST   /api/v1/subscriptions/{subscription_id}/change
  dropPendingChange, //    DELETE /api/v1/subscriptions/{subscription_id}/pending-change
  cancelSubscription, //   POST   /api/v1/subscriptions/{subscription_id}/cancel
  resumeSubscription, //   POST   /api/v1/subscriptions/{subscription_id}/resume
  pauseSubscription, //    POST   /api/v1/subscriptions/{subscription_id}/pause
];
