import { accountRoutes } from '../resources/account.ts';
import { checkoutSessionRoutes } from '../resources/checkout-sessions.ts';
import { customerRoutes } from '../resources/customers.ts';
import { eventRoutes } from '../resources/events.ts';
import { invoicePaymentRoutes, invoiceRoutes } from '../resources/invoices.ts';
import { chargeRoutes, disputeRoutes, paymentIntentRoutes, refundRoutes } from '../resources/payments.ts';
import { portalSessionRoutes } from '../resources/portal-sessions.ts';
import { priceRoutes } from '../resources/prices.ts';
import { productRoutes } from '../resources/products.ts';
import { subscriptionItemRoutes } from '../resources/subscription-items.ts';
import { subscriptionScheduleRoutes } from '../resources/subscription-schedules.ts';
import { subscriptionRoutes } from '../resources/subscriptions.ts';
import type { Route } from './define-route.ts';

/** All of Stripe's API that is served here. */
export const routes: readonly Route[] = [
  ...accountRoutes,
  ...customerRoutes,
  ...productRoutes,
  ...priceRoutes,
  ...checkoutSessionRoutes,
  ...portalSessionRoutes,
  ...subscriptionRoutes,
  ...subscriptionItemRoutes,
  ...subscriptionScheduleRoutes,
  ...invoiceRoutes,
  ...invoicePaymentRoutes,
  ...paymentIntentRoutes,
  ...chargeRoutes,
  ...refundRoutes,
  ...disputeRoutes,
  ...eventRoutes,
];
