import { randomUUID } from 'node:crypto';

import express, { type Request, type Response, type Router } from 'express';

import type { CheckoutSession } from '../stripe-objects.ts';
import type { World } from '../world.ts';
import { checkoutMarkup } from './checkout-markup.ts';
import { sendPage } from './page.ts';
import { stripeJs } from './stripe-js.ts';
import { formOf, submitCheckout } from './submit-checkout.ts';

const pathOf = ({ id }: CheckoutSession): string => `/c/pay/${encodeURIComponent(id)}`;
const framePathOf = ({ client_secret: secret }: CheckoutSession): string =>
  `/c/embed/${encodeURIComponent(secret ?? '')}`;

const withId = (url: string, session: CheckoutSession): string =>
  url.replaceAll('{CHECKOUT_SESSION_ID}', encodeURIComponent(session.id));

function cancelMarkup(session: CheckoutSession): string {
  return `<form method="post" action="${pathOf(session)}/cancel"><button type="submit" id="cancel" name="action" value="cancel">Cancel</button></form>`;
}

function openPage(world: World, session: CheckoutSession, message = ''): { title: string; main: string } {
  const isEmbedded = session.ui_mode === 'embedded_page';
  const action = isEmbedded ? framePathOf(session) : pathOf(session);
  const form = checkoutMarkup(world, { session, action, message });
  return { title: 'Checkout', main: isEmbedded ? form : `${form}${cancelMarkup(session)}` };
}

function closedPage(response: Response, session: CheckoutSession): void {
  if (session.status === 'complete')
    sendPage(response, { title: 'Already paid', main: '<p id="closed">This checkout is complete.</p>' });
  else
    sendPage(response, {
      status: 410,
      title: 'Checkout expired',
      main: '<p id="closed">This checkout can no longer be paid. Start a new one.</p>',
    });
}

/** The frame tells the page around it that the payer is done; that page's script leads on. */
function completedFrame(response: Response, session: CheckoutSession): void {
  const leads = session.redirect_on_completion !== 'never' && session.return_url !== undefined;
  const returnUrl = leads ? withId(session.return_url ?? '', session) : null;
  const said = JSON.stringify({ type: 'offline-stripe.completed', returnUrl }).replaceAll('<', '\\u003c');
  const nonce = randomUUID();
  sendPage(response, {
    title: 'Paid',
    main: `<p id="closed">Thank you.</p><script nonce="${nonce}">parent.postMessage(${said}, '*')</script>`,
    scriptNonce: nonce,
  });
}

type Serve = (session: CheckoutSession, exchange: { request: Request; response: Response }) => void;

function withSession(find: (key: string) => CheckoutSession | undefined, serve: Serve) {
  return (request: Request, response: Response): void => {
    const key = request.params['key'];
    const session = find(typeof key === 'string' ? key : '');
    if (session === undefined)
      sendPage(response, { status: 404, title: 'Not found', main: '<p>There is no such checkout.</p>' });
    else serve(session, { request, response });
  };
}

/** The page of a session, at its `url` or in a frame of the seller's page. `afterChange` runs after a payment. */
export function createCheckoutPage(world: World, afterChange: () => void): Router {
  const router = express.Router();
  const byId = (id: string): CheckoutSession | undefined => {
    const session = world.tables.sessions.get(id);
    return session?.client_secret === null ? session : undefined;
  };
  const bySecret = (secret: string): CheckoutSession | undefined => {
    const session = world.tables.sessions.get(secret.split('_secret_')[0] ?? '');
    return session?.client_secret === secret ? session : undefined;
  };
  const show: Serve = (session, { response }) => {
    if (session.status === 'open') sendPage(response, openPage(world, session));
    else closedPage(response, session);
  };
  const submit =
    (complete: (session: CheckoutSession, response: Response) => void): Serve =>
    (before, { request, response }) => {
      if (before.status === 'expired') {
        closedPage(response, before);
        return;
      }
      const form = formOf(request.body);
      const { session, message } =
        before.status === 'open' ? submitCheckout(world, before, form) : { session: before, message: '' };
      afterChange();
      if (session.status === 'complete') complete(session, response);
      else sendPage(response, { ...openPage(world, session, message), status: message === '' ? 200 : 402 });
    };
  router.use('/c', express.urlencoded({ extended: false }));
  router.get(['/v3', '/v3/', '/endive/stripe.js'], (_request: Request, response: Response) => {
    response.type('text/javascript').send(stripeJs);
  });
  router.get('/c/pay/:key', withSession(byId, show));
  router.get('/c/embed/:key', withSession(bySecret, show));
  router.post(
    '/c/embed/:key',
    withSession(
      bySecret,
      submit((session, response) => completedFrame(response, session)),
    ),
  );
  router.post(
    '/c/pay/:key',
    withSession(
      byId,
      submit((session, response) => response.redirect(303, withId(session.success_url ?? '/', session))),
    ),
  );
  router.post(
    '/c/pay/:key/cancel',
    withSession(byId, (session, { response }) =>
      response.redirect(303, session.cancel_url ?? pathOf(session)),
    ),
  );
  return router;
}
