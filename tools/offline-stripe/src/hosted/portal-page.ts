import express, { type Request, type Response, type Router } from 'express';

import { changeSubscription, earliestPeriodEnd, endPatch, isEnded } from '../billing/subscription-changes.ts';
import type { PortalSession, Subscription } from '../stripe-objects.ts';
import type { World } from '../world.ts';
import { escapeHtml, formatAmount, htmlPage } from './page.ts';

/** Stripe's links work for five minutes until opened, then for an hour; here always for an hour. */
const usableSeconds = 3_600;

function subscriptionMarkup(world: World, session: PortalSession, subscription: Subscription): string {
  const names = subscription.items.data.map((item) => {
    const name = world.tables.products.get(item.price.product)?.name ?? item.price.id;
    const amount = formatAmount((item.price.unit_amount ?? 0) * (item.quantity ?? 1), item.price.currency);
    return `${escapeHtml(name)}, ${escapeHtml(amount)}`;
  });
  const isEnding = subscription.cancel_at !== null;
  const until = new Date((subscription.cancel_at ?? earliestPeriodEnd(subscription.items.data)) * 1000)
    .toISOString()
    .slice(0, 10);
  const action = `/p/session/${encodeURIComponent(session.id)}/subscriptions/${encodeURIComponent(subscription.id)}`;
  return `<li>${names.join('; ')}: ${escapeHtml(String(subscription.status))}, ${isEnding ? 'ends' : 'renews'} ${until}
<form method="post" action="${action}/${isEnding ? 'keep' : 'cancel'}"><button type="submit">${isEnding ? 'Keep subscription' : 'Cancel subscription'}</button></form></li>`;
}

function portalMarkup(world: World, session: PortalSession): string {
  const live = world.tables.subscriptions
    .newestFirst()
    .filter((row) => row.customer === session.customer && !isEnded(row));
  const back =
    session.return_url === null
      ? ''
      : `<p><a id="return" href="${escapeHtml(session.return_url)}">Return</a></p>`;
  if (live.length === 0) return `<p>No subscriptions.</p>${back}`;
  return `<ul>${live.map((row) => subscriptionMarkup(world, session, row)).join('')}</ul>${back}`;
}

function notFound(response: Response): void {
  response.status(404).type('html').send(htmlPage('Not found', '<p>This link has expired.</p>'));
}

/** The customer portal: cancels by `cancel_at` and leaves `cancel_at_period_end` false, as Stripe's does. */
export function createPortalPage(world: World, afterChange: () => void): Router {
  const router = express.Router();
  const sessionOf = (request: Request): PortalSession | undefined => {
    const id = request.params['id'];
    const session = world.tables.portalSessions.get(typeof id === 'string' ? id : '');
    return session !== undefined && session.created + usableSeconds > world.clock.now() ? session : undefined;
  };
  router.get('/p/session/:id', (request: Request, response: Response) => {
    const session = sessionOf(request);
    if (session === undefined) notFound(response);
    else response.type('html').send(htmlPage('Your subscriptions', portalMarkup(world, session)));
  });
  router.post(
    '/p/session/:id/subscriptions/:subscription/:action',
    (request: Request, response: Response) => {
      const session = sessionOf(request);
      const wanted = request.params['subscription'];
      const subscription = world.tables.subscriptions.get(typeof wanted === 'string' ? wanted : '');
      if (session === undefined || subscription?.customer !== session.customer) {
        notFound(response);
        return;
      }
      const cancels = request.params['action'] === 'cancel';
      if (!isEnded(subscription)) {
        const patch = endPatch(world, subscription, { cancel_at: cancels ? 'min_period_end' : null });
        changeSubscription(world, subscription.id, patch);
        afterChange();
      }
      response.redirect(303, `/p/session/${encodeURIComponent(session.id)}`);
    },
  );
  return router;
}
