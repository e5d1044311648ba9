import { earliestPeriodEnd, isEnded } from '../billing/subscription-changes.ts';
import type { PortalSession, Price, Subscription } from '../stripe-objects.ts';
import type { World } from '../world.ts';
import { cardField, problem } from './card-field.ts';
import { escapeHtml, formatAmount } from './page.ts';
import { configurationOf, offeredPrices } from './portal-actions.ts';

const date = (at: number): string => new Date(at * 1000).toISOString().slice(0, 10);
const pathOf = (session: PortalSession): string => `/p/session/${encodeURIComponent(session.id)}`;

function priceName(world: World, price: Price, quantity: number): string {
  const name = world.tables.products.get(price.product)?.name ?? price.id;
  const amount = formatAmount((price.unit_amount ?? 0) * quantity, price.currency);
  return `${name}, ${amount}${price.recurring === null ? '' : ` per ${price.recurring.interval}`}`;
}

function namesOf(world: World, subscription: Subscription): string {
  const names = subscription.items.data.map((item) => priceName(world, item.price, item.quantity ?? 1));
  return escapeHtml(names.join('; '));
}

function subscriptionMarkup(world: World, session: PortalSession, subscription: Subscription): string {
  const isEnding = subscription.cancel_at !== null;
  const until = date(subscription.cancel_at ?? earliestPeriodEnd(subscription.items.data));
  const action = `${pathOf(session)}/subscriptions/${encodeURIComponent(subscription.id)}`;
  const cancels = configurationOf(world, session).features.subscription_cancel.enabled;
  const form = `<form method="post" action="${action}/${isEnding ? 'keep' : 'cancel'}"><button type="submit">${isEnding ? 'Keep subscription' : 'Cancel subscription'}</button></form>`;
  return `<li>${namesOf(world, subscription)}: ${escapeHtml(String(subscription.status))}, ${isEnding ? 'ends' : 'renews'} ${until}
${cancels || isEnding ? form : ''}</li>`;
}

function returnLink({ return_url: url }: PortalSession): string {
  return url === null ? '' : `<p><a id="return" href="${escapeHtml(url)}">Return</a></p>`;
}

function invoiceList(world: World, session: PortalSession): string {
  if (!configurationOf(world, session).features.invoice_history.enabled) return '';
  const rows = world.tables.invoices
    .by(session.customer)
    .filter(({ hosted_invoice_url: url }) => url !== null)
    .slice(-10)
    .reverse()
    .map(
      (invoice) =>
        `<li><a href="${escapeHtml(invoice.hosted_invoice_url ?? '')}">${escapeHtml(invoice.number ?? invoice.id)}</a>, ${escapeHtml(formatAmount(invoice.total, invoice.currency))}, ${escapeHtml(String(invoice.status))}</li>`,
    );
  return rows.length === 0 ? '' : `<h2>Invoices</h2><ul id="invoices">${rows.join('')}</ul>`;
}

export function portalMarkup(world: World, session: PortalSession, message = ''): string {
  const live = world.tables.subscriptions
    .newestFirst()
    .filter((row) => row.customer === session.customer && !isEnded(row));
  const list =
    live.length === 0
      ? '<p>No subscriptions.</p>'
      : `<ul>${live.map((row) => subscriptionMarkup(world, session, row)).join('')}</ul>`;
  return `${problem(message)}${list}${invoiceList(world, session)}${returnLink(session)}`;
}

function switchForm(world: World, session: PortalSession, subscription: Subscription): string {
  const [item] = subscription.items.data;
  const options = offeredPrices(world, session, subscription).map((price) => {
    const isCurrent = price.id === item?.price.id ? ' selected' : '';
    return `<option value="${escapeHtml(price.id)}"${isCurrent}>${escapeHtml(priceName(world, price, 1))}</option>`;
  });
  return `<p><label>Plan <select id="price" name="price">${options.join('')}</select></label></p>
<p><label>Quantity <input id="quantity" name="quantity" type="number" min="1" value="${item?.quantity ?? 1}"></label></p>
<button type="submit" id="confirm">Update subscription</button>`;
}

/** The page of a session's flow: title and content. */
export function flowMarkup(
  world: World,
  session: PortalSession,
  message = '',
): { title: string; main: string } {
  const { flow } = session;
  const form = (fields: string): string =>
    `${problem(message)}<form method="post" action="${pathOf(session)}/flow">${fields}</form>${returnLink(session)}`;
  const id = flow?.subscription_cancel?.subscription ?? flow?.subscription_update?.subscription ?? '';
  const subscription = world.tables.subscriptions.get(id);
  if (flow?.type === 'subscription_cancel' && subscription !== undefined) {
    const text = `<p>${namesOf(world, subscription)}, until ${date(earliestPeriodEnd(subscription.items.data))}</p>`;
    const button = '<button type="submit" id="confirm">Cancel subscription</button>';
    return { title: 'Cancel your subscription', main: form(text + button) };
  }
  if (flow?.type === 'subscription_update' && subscription !== undefined)
    return { title: 'Update your subscription', main: form(switchForm(world, session, subscription)) };
  return {
    title: 'Update your payment method',
    main: form(`${cardField}<button type="submit" id="confirm">Save</button>`),
  };
}
