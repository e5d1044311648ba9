import { id, seconds } from '@billing/domain';
import { z } from 'zod';

/** What is needed of Stripe's objects; the rest of an answer is not looked at. */
const page = z.url({ protocol: /^https?$/ });

export const stripeCustomer = z.object({ id });
export const foundCustomer = z.object({ id, deleted: z.boolean().optional() });
export const checkoutSession = z.object({ id, url: page, expires_at: seconds });
export const portalSession = z.object({ url: page, created: seconds });
