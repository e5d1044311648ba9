import { defineRoute } from '../http/define-route.ts';
import { expandOnly } from '../http/params.ts';
import type { Account } from '../stripe-objects.ts';

const ACCOUNT: Account = {
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

export const accountRoutes = [defineRoute('GET /v1/account', expandOnly, () => ACCOUNT)];
