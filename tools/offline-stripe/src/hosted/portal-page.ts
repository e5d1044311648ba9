import express, { type Request, type Response, type Router } from 'express';

import { isEnded } from '../billing/subscription-changes.ts';
import { StripeApiError } from '../errors.ts';
import { updateSubscription } from '../resources/update-subscription.ts';
import type { PortalSession, Subscription } from '../stripe-objects.ts';
import type { World } from '../world.ts';
import { escapeHtml, sendPage } from './page.ts';
import { cancelInPortal, submitFlow } from './portal-actions.ts';
import { flowMarkup, portalMarkup } from './portal-markup.ts';
import { formOf } from './submit-checkout.ts';

/** Stripe's links work for five minutes until opened, then for an hour; here always for an hour. */
const usableSeconds = 3_600;

/** Where a flow leads once it is done. */
function completeFlow(response: Response, session: PortalSession): void {
  const completion = session.flow?.after_completion;
  if (completion?.type === 'hosted_confirmation') {
    const message = completion.hosted_confirmation?.custom_message ?? 'Done.';
    const back = session.return_url;
    const link = back === null ? '' : `<p><a id="return" href="${escapeHtml(back)}">Return</a></p>`;
    sendPage(response, { title: 'Done', main: `<p id="done">${escapeHtml(message)}</p>${link}` });
    return;
  }
  const home = `/p/session/${encodeURIComponent(session.id)}`;
  response.redirect(303, completion?.redirect?.return_url ?? home);
}

function changeEnd(
  world: World,
  {
    session,
    subscription,
    cancels,
  }: { session: PortalSession; subscription: Subscription; cancels: boolean },
): string {
  try {
    if (cancels) cancelInPortal(world, session, subscription);
    else if (!isEnded(subscription)) updateSubscription(world, subscription, { cancel_at: null });
    return '';
  } catch (error) {
    if (error instanceof StripeApiError) return error.message;
    throw error;
  }
}

/** The customer portal, and the pages of its flows. */
export function createPortalPage(world: World, afterChange: () => void): Router {
  const router = express.Router();
  const withSession = (serve: (session: PortalSession, request: Request, response: Response) => void) => {
    return (request: Request, response: Response): void => {
      const id = request.params['id'];
      const session = world.tables.portalSessions.get(typeof id === 'string' ? id : '');
      if (session !== undefined && session.created + usableSeconds > world.clock.now())
        serve(session, request, response);
      else sendPage(response, { status: 404, title: 'Not found', main: '<p>This link has expired.</p>' });
    };
  };
  const showHome = (response: Response, session: PortalSession, message = ''): void =>
    sendPage(response, {
      title: 'Your subscriptions',
      main: portalMarkup(world, session, message),
      status: message === '' ? 200 : 400,
    });
  router.get(
    '/p/session/:id',
    withSession((session, _request, response) => showHome(response, session)),
  );
  router.get(
    '/p/session/:id/flow',
    withSession((session, _request, response) => sendPage(response, flowMarkup(world, session))),
  );
  router.post(
    '/p/session/:id/flow',
    express.urlencoded({ extended: false }),
    withSession((session, request, response) => {
      const message = submitFlow(world, session, formOf(request.body));
      afterChange();
      if (message === '') completeFlow(response, session);
      else sendPage(response, { ...flowMarkup(world, session, message), status: 402 });
    }),
  );
  router.post(
    '/p/session/:id/subscriptions/:subscription/:action',
    withSession((session, request, response) => {
      const wanted = request.params['subscription'];
      const subscription = world.tables.subscriptions.get(typeof wanted === 'string' ? wanted : '');
      if (subscription?.customer !== session.customer) {
        sendPage(response, {
          status: 404,
          title: 'Not found',
          main: '<p>There is no such subscription.</p>',
        });
        return;
      }
      const cancels = request.params['action'] === 'cancel';
      const message = changeEnd(world, { session, subscription, cancels });
      afterChange();
      if (message === '') response.redirect(303, `/p/session/${encodeURIComponent(session.id)}`);
      else showHome(response, session, message);
    }),
  );
  return router;
}
