import express, { type Request, type Response, type Router } from 'express';

import { payCheckout } from '../billing/checkout.ts';
import type { CheckoutSession, LineItem } from '../stripe-objects.ts';
import type { World } from '../world.ts';
import { escapeHtml, formatAmount, htmlPage } from './page.ts';

function priceText(line: LineItem): string {
  const amount = formatAmount(line.amount_total, line.currency);
  const recurring = line.price?.recurring;
  if (!recurring) return amount;
  const every =
    recurring.interval_count === 1
      ? recurring.interval
      : `${recurring.interval_count} ${recurring.interval}s`;
  return `${amount} per ${every}`;
}

function lineRow(line: LineItem): string {
  return `<tr><td>${escapeHtml(line.description ?? '')}</td><td>${line.quantity ?? 1}</td><td>${escapeHtml(priceText(line))}</td></tr>`;
}

function checkoutMarkup(world: World, session: CheckoutSession): string {
  const plan = world.tables.checkoutPlans.get(session.id);
  const due = formatAmount(session.amount_total ?? 0, session.currency ?? 'usd');
  const trial = plan?.trial_days ? `<p id="trial">${plan.trial_days} days free.</p>` : '';
  const action = `/c/pay/${encodeURIComponent(session.id)}`;
  return `<table>
<caption>${session.mode === 'subscription' ? 'Subscription' : 'One-time payment'}</caption>
<thead><tr><th scope="col">Item</th><th scope="col">Quantity</th><th scope="col">Price</th></tr></thead>
<tbody>${(plan?.line_items ?? []).map(lineRow).join('')}</tbody>
</table>
${trial}
<p>Due today: <strong id="amount-due">${escapeHtml(due)}</strong></p>
<form method="post" action="${action}"><button type="submit" id="pay" name="action" value="pay">Pay</button></form>
<form method="post" action="${action}/cancel"><button type="submit" id="cancel" name="action" value="cancel">Cancel</button></form>`;
}

function successUrl(session: CheckoutSession): string {
  return (session.success_url ?? '/').replaceAll('{CHECKOUT_SESSION_ID}', encodeURIComponent(session.id));
}

type Page = { status: number; title: string; main: string };

function sendPage(response: Response, { status, title, main }: Page): void {
  response
    .status(status)
    // No form-action: browsers apply it to the redirect after the form, which leaves this origin on purpose.
    .set({
      'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'",
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
    })
    .type('html')
    .send(htmlPage(title, main));
}

function closedPage(response: Response, session: CheckoutSession): void {
  if (session.status === 'complete')
    sendPage(response, {
      status: 200,
      title: 'Already paid',
      main: '<p id="closed">This checkout is complete.</p>',
    });
  else
    sendPage(response, {
      status: 410,
      title: 'Checkout expired',
      main: '<p id="closed">This checkout can no longer be paid. Start a new one.</p>',
    });
}

/** The page at a session's `url`, with its two buttons. `afterChange` runs after a payment. */
export function createCheckoutPage(world: World, afterChange: () => void): Router {
  const router = express.Router();
  const withSession = (serve: (session: CheckoutSession, response: Response) => void) => {
    return (request: Request, response: Response): void => {
      const id = request.params['id'];
      const session = world.tables.sessions.get(typeof id === 'string' ? id : '');
      if (session === undefined)
        sendPage(response, { status: 404, title: 'Not found', main: '<p>There is no such checkout.</p>' });
      else serve(session, response);
    };
  };
  router.get(
    '/c/pay/:id',
    withSession((session, response) => {
      if (session.status === 'open')
        sendPage(response, { status: 200, title: 'Checkout', main: checkoutMarkup(world, session) });
      else closedPage(response, session);
    }),
  );
  router.post(
    '/c/pay/:id',
    withSession((session, response) => {
      if (session.status === 'expired') {
        closedPage(response, session);
        return;
      }
      if (session.status === 'open') {
        payCheckout(world, session, { isDelayed: false });
        afterChange();
      }
      response.redirect(303, successUrl(session));
    }),
  );
  router.post(
    '/c/pay/:id/cancel',
    withSession((session, response) =>
      response.redirect(303, session.cancel_url ?? `/c/pay/${encodeURIComponent(session.id)}`),
    ),
  );
  return router;
}
