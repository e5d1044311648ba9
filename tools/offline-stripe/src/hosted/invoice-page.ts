import express, { type Request, type Response, type Router } from 'express';

import { payInvoice, payWith } from '../billing/collect.ts';
import { behaviourOf } from '../billing/payment-methods.ts';
import type { Invoice } from '../stripe-objects.ts';
import type { World } from '../world.ts';
import { cardField, cardOf, problem } from './card-field.ts';
import { invoicePdf } from './invoice-pdf.ts';
import { escapeHtml, formatAmount, sendPage } from './page.ts';
import { formOf } from './submit-checkout.ts';

function invoiceMarkup(invoice: Invoice, message: string): string {
  const amount = (value: number): string => escapeHtml(formatAmount(value, invoice.currency));
  const rows = invoice.lines.data.map(
    (line) =>
      `<tr><td>${escapeHtml(line.description ?? '')}</td><td>${line.quantity ?? ''}</td><td>${amount(line.amount)}</td></tr>`,
  );
  const path = `/i/${encodeURIComponent(invoice.id)}`;
  const pay = `<form method="post" action="${path}/pay">${cardField}<button type="submit" id="pay">Pay ${amount(invoice.amount_remaining)}</button></form>`;
  return `${problem(message)}<p>Status: <strong id="invoice-status">${escapeHtml(String(invoice.status))}</strong></p>
<table><thead><tr><th scope="col">Item</th><th scope="col">Quantity</th><th scope="col">Amount</th></tr></thead>
<tbody>${rows.join('')}<tr><td colspan="2">Total</td><td>${amount(invoice.total)}</td></tr></tbody></table>
<p>Amount due: <strong id="amount-due">${amount(invoice.amount_remaining)}</strong></p>
${invoice.status === 'open' ? pay : ''}
<p><a id="pdf" href="${path}/pdf">Download as PDF</a></p>`;
}

/** Pays with a card that was typed; a sentence where that fails. A payer whose bank asks agrees. */
function payByHand(world: World, open: Invoice, typed: string): string {
  const method = cardOf(world, typed);
  if (method === undefined) return 'Your card number is invalid.';
  if (behaviourOf(method) !== 'needs_authentication')
    return payWith(world, open, method.id) ? '' : 'Your card was declined.';
  payInvoice(world, open);
  return '';
}

function show(response: Response, invoice: Invoice, message = ''): void {
  sendPage(response, {
    title: `Invoice ${invoice.number ?? ''}`,
    main: invoiceMarkup(invoice, message),
    status: message === '' ? 200 : 402,
  });
}

/** The page at an invoice's `hosted_invoice_url`, and its PDF. */
export function createInvoicePage(world: World, afterChange: () => void): Router {
  const router = express.Router();
  const withInvoice = (serve: (invoice: Invoice, request: Request, response: Response) => void) => {
    return (request: Request, response: Response): void => {
      const id = request.params['id'];
      const invoice = world.tables.invoices.get(typeof id === 'string' ? id : '');
      if (invoice !== undefined && invoice.hosted_invoice_url !== null) serve(invoice, request, response);
      else sendPage(response, { status: 404, title: 'Not found', main: '<p>There is no such invoice.</p>' });
    };
  };
  router.get(
    '/i/:id',
    withInvoice((invoice, _request, response) => show(response, invoice)),
  );
  router.get(
    '/i/:id/pdf',
    withInvoice((invoice, _request, response) => {
      response
        .attachment(`${invoice.number ?? invoice.id}.pdf`)
        .type('pdf')
        .send(invoicePdf(invoice));
    }),
  );
  router.post(
    '/i/:id/pay',
    express.urlencoded({ extended: false }),
    withInvoice((invoice, request, response) => {
      const typed = formOf(request.body).get('card_number') ?? '';
      const message = invoice.status === 'open' ? payByHand(world, invoice, typed) : '';
      afterChange();
      if (message === '') response.redirect(303, `/i/${encodeURIComponent(invoice.id)}`);
      else show(response, world.tables.invoices.require(invoice.id), message);
    }),
  );
  return router;
}
