import { body, flag } from '../http/params.ts';

/** What is still billed when a subscription ends at once. */
export const lastBillParams = { invoice_now: flag.optional(), prorate: flag.optional() };
export const endParams = body(lastBillParams);
