import { isInteger, isString, isTimestamp, listOf, nullable, shape } from './check-answer.ts';
import type { Settings } from './options.ts';
import { requireIds } from './require-ids.ts';
import { withRetries } from './retry.ts';
import { sendRequest } from './send-request.ts';
import type { Invoice, InvoiceList } from './wire.ts';

export type InvoicesOptions = {
  /** Most invoices of a page, 1 to 100 (default: 50). */
  limit?: number | undefined;
  /** The `next_cursor` of the page before. */
  cursor?: string | undefined;
};

const isInvoice = shape<Invoice>({
  invoice_id: isString,
  number: nullable(isString),
  status: nullable(isString),
  total: isInteger,
  amount_due: isInteger,
  currency: isString,
  created: isTimestamp,
  period_start: isTimestamp,
  period_end: isTimestamp,
  hosted_invoice_url: nullable(isString),
  invoice_pdf: nullable(isString),
});
const isInvoiceList = shape<InvoiceList>({ data: listOf(isInvoice), next_cursor: nullable(isString) });

/** A page of a user's invoices, as Stripe has them now. */
export async function listInvoices(
  settings: Settings,
  userId: string,
  { limit, cursor }: InvoicesOptions = {},
): Promise<InvoiceList> {
  requireIds({ user_id: userId });
  const query = {
    user_id: userId,
    ...(limit === undefined ? {} : { limit: String(limit) }),
    ...(cursor === undefined ? {} : { cursor }),
  };
  return withRetries(settings.retries, () =>
    sendRequest(settings, {
      method: 'GET',
      path: 'invoices',
      query,
      // The service asks Stripe.
      timeoutMs: settings.purchaseTimeoutMs,
      isAnswer: isInvoiceList,
    }),
  );
}
