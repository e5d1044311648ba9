import { checkoutSessionRoutes } from '../resources/checkout-sessions.ts';
import { couponRoutes } from '../resources/coupons.ts';
import { customerRoutes } from '../resources/customers.ts';
import { eventRoutes } from '../resources/events.ts';
import { invoiceItemRoutes } from '../resources/invoice-items.ts';
import { invoicePaymentRoutes, invoiceRoutes } from '../resources/invoices.ts';
import { meterEventRoutes } from '../resources/meter-events.ts';
import { meterRoutes } from '../resources/meters.ts';
import { paymentIntentRoutes } from '../resources/payment-intents.ts';
import { paymentMethodRoutes } from '../resources/payment-methods.ts';
import { paymentPageRoutes } from '../resources/payment-pages.ts';
import { chargeRoutes, disputeRoutes, refundRoutes } from '../resources/payments.ts';
import { portalConfigurationRoutes } from '../resources/portal-configurations.ts';
import { portalSessionRoutes } from '../resources/portal-sessions.ts';
import { priceRoutes } from '../resources/prices.ts';
import { productRoutes } from '../resources/products.ts';
import { promotionCodeRoutes } from '../resources/promotion-codes.ts';
import { subscriptionItemRoutes } from '../resources/subscription-items.ts';
import { subscriptionScheduleRoutes } from '../resources/subscription-schedules.ts';
import { subscriptionRoutes } from '../resources/subscriptions.ts';
import type { Account } from '../stripe-objects.ts';
import { defineRoute, type Route } from './define-route.ts';
import { expandOnly } from './params.ts';

const account: Account = {
  id: 'acct_1OfflineStripe000',
  object: 'account',
  business_type: 'company',
  charges_enabled: true,
  country: 'US',
  default_currency: 'usd',
  details_submitted: true,
  email: 'owner@example.com',
  metadata: {},
  payouts_enabled: true,
  type: 'standard',
};

/** Every route of Stripe's API that is served here. */
export const routes: readonly Route[] = [
  defineRoute('GET /v1/account', expandOnly, () => account),
  ...customerRoutes,
  ...productRoutes,
  ...priceRoutes,
  ...checkoutSessionRoutes,
  ...portalConfigurationRoutes,
  ...portalSessionRoutes,
  ...subscriptionRoutes,
  ...subscriptionItemRoutes,
  ...subscriptionScheduleRoutes,
  ...couponRoutes,
  ...promotionCodeRoutes,
  ...meterRoutes,
  ...meterEventRoutes,
  ...invoiceRoutes,
  ...invoiceItemRoutes,
  ...invoicePaymentRoutes,
  ...paymentIntentRoutes,
  ...paymentMethodRoutes,
  ...paymentPageRoutes,
  ...chargeRoutes,
  ...refundRoutes,
  ...disputeRoutes,
  ...eventRoutes,
];
