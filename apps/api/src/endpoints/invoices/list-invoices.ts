import { invoiceList, invoicesQuery, ServiceError, toTimestamp } from '@billing/domain';
import type { InvoiceOut } from '@billing/domain';
import {
  decodeCursor,
  encodeCursor,
  findBilledCustomers,
  findLineOwners,
  findOthersSubscriptions,
  invalidCursor,
} from '@billing/store';
import type { LineOwners } from '@billing/store';
import { z } from 'zod';
import {
  callStripe,
  isMissingCustomer,
  startStripeBudget,
  stripeErrorOf,
} from '../../checkout/call-stripe.ts';
import type { StripeBudget } from '../../checkout/call-stripe.ts';
import { invoicePage } from '../../checkout/stripe-answers.ts';
import type { StripeInvoice } from '../../checkout/stripe-answers.ts';
import type { AppDeps } from '../../deps.ts';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import { pageExample } from '../page.ts';
import { mergePages } from './merge-pages.ts';
import type { CustomerPage, Position } from './merge-pages.ts';

const stripeMs = 10_000;
/** Each of them costs one read of Stripe a page; nearly everybody has one. */
const mostCustomers = 5;

/** Pairs: a customer, and the last invoice of it that was read. */
const cursorKey = z.array(z.string().max(256)).max(2 * mostCustomers);

function positionsOf(cursor: string): Position[] {
  const parts = decodeCursor(cursorKey, cursor);
  return parts.flatMap((customer, index) =>
    index % 2 === 0 ? [{ customer, after: parts[index + 1] ?? '' }] : [],
  );
}

type ReadDeps = Pick<AppDeps, 'stripe' | 'budget' | 'logger'>;

const budgetSpent = (): ServiceError =>
  new ServiceError('stripe_unavailable', 'Stripe is asked for too much at the moment; try again.', {
    retryable: true,
    retryAfterSeconds: 2,
  });

/** A page of one customer's invoices; none where Stripe has no such customer. */
async function readInvoices(
  { stripe, budget, logger }: ReadDeps,
  { customer, after }: Position,
  { limit, time }: { limit: number; time: StripeBudget },
): Promise<CustomerPage<StripeInvoice>> {
  if (!(await budget.take())) throw budgetSpent();
  try {
    const params = { customer, limit, ...(after === '' ? {} : { starting_after: after }) };
    const page = await callStripe({ budget: time, logger }, invoicePage, (options) =>
      stripe.invoices.list(params, options),
    );
    return { customer, rows: page.data, hasMore: page.has_more };
  } catch (error) {
    if (isMissingCustomer(error)) return { customer, rows: [], hasMore: false };
    if (stripeErrorOf(error)?.param === 'starting_after') throw invalidCursor();
    if (stripeErrorOf(error)?.statusCode === 429) await budget.throttle();
    throw error;
  }
}

const idsOf = ({ lines }: StripeInvoice): { price: string | null; product: string | null }[] =>
  lines.data.flatMap(({ pricing }) => pricing?.price_details ?? []);

/** Whether the project may see an invoice: it sells something on it, or no other project sells anything. */
function isShownTo({ own, foreign }: LineOwners, invoice: StripeInvoice): boolean {
  const sellers = idsOf(invoice).map(({ price, product }) => {
    const known = [price, product].find((id) => id !== null && (own.has(id) || foreign.has(id)));
    return known === undefined || known === null ? 'nobody' : own.has(known) ? 'own' : 'foreign';
  });
  return sellers.includes('own') || !sellers.includes('foreign');
}

const present = (invoice: StripeInvoice): InvoiceOut => ({
  invoice_id: invoice.id,
  number: invoice.number ?? null,
  status: invoice.status ?? null,
  total: invoice.total,
  amount_due: invoice.amount_due,
  currency: invoice.currency,
  created: toTimestamp(invoice.created),
  period_start: toTimestamp(invoice.period_start),
  period_end: toTimestamp(invoice.period_end),
  hosted_invoice_url: invoice.hosted_invoice_url ?? null,
  invoice_pdf: invoice.invoice_pdf ?? null,
});

export const listInvoices = defineEndpoint({
  method: 'get',
  path: '/api/v1/invoices',
  operationId: 'listInvoices',
  tag: 'Selling',
  summary: 'The invoices of a user',
  description:
    "Read from Stripe, of all customers that are the user's, within the budget of reads that the service shares (`STRIPE_READS_PER_SECOND`): keep what you show. Invoices of other projects alone, and of subscriptions that were assigned to another user, are not shown. A page may have fewer rows than its limit although `next_cursor` leads on.",
  access: { project: 'read' },
  query: invoicesQuery,
  answers: [
    {
      status: 200,
      description: 'Newest first; empty for a user nobody has heard of.',
      schema: invoiceList,
      example: pageExample({
        invoice_id: 'in_123',
        number: 'A1B2C3D4-0001',
        status: 'paid',
        total: 1900,
        amount_due: 1900,
        currency: 'usd',
        created: '2026-11-22T10:00:00.000Z',
        period_start: '2026-11-22T10:00:00.000Z',
        period_end: '2026-12-22T10:00:00.000Z',
        hosted_invoice_url: 'https://invoice.stripe.com/i/acct_123/test_123',
        invoice_pdf: 'https://pay.stripe.com/invoice/acct_123/test_123/pdf',
      }),
    },
  ],
  errors: ['stripe_error', 'stripe_unavailable'],
  handle: async (deps, { project: { projectId }, query: { user_id: userId, limit, cursor } }) => {
    const before = cursor === undefined ? null : positionsOf(cursor);
    const known = await findBilledCustomers(deps.database, { projectId, userId, limit: mostCustomers });
    // A cursor names customers, but only the user's own count.
    const asked =
      before === null
        ? known.map((customer) => ({ customer, after: '' }))
        : before.filter(({ customer }) => known.includes(customer));
    const time = startStripeBudget(stripeMs);
    const pages = await Promise.all(asked.map((one) => readInvoices(deps, one, { limit, time })));
    const ids = pages.flatMap(({ rows }) => rows.flatMap(idsOf));
    const owners = await findLineOwners(deps.database, {
      projectId,
      ids: ids.flatMap(({ price, product }) => [price ?? [], product ?? []].flat()),
    });
    const others = await findOthersSubscriptions(deps.database, {
      projectId,
      userId,
      ids: pages.flatMap(({ rows }) => rows.flatMap(({ parent }) => parent ?? [])),
    });
    const isShown = (invoice: StripeInvoice): boolean =>
      isShownTo(owners, invoice) && !(invoice.parent !== null && others.has(invoice.parent));
    const { rows, next } = mergePages(pages, { limit, before: asked, isShown });
    const nextCursor =
      next.length === 0 ? null : encodeCursor(next.flatMap(({ customer, after }) => [customer, after]));
    return { body: { data: rows.map(present), next_cursor: nextCursor } };
  },
});
