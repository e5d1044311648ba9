import {
  askedItems,
  checkItems,
  findOccupied,
  hasTrialLeft,
  isPossibleDuplicate,
  resolveCheckout,
  ServiceError,
} from '@billing/domain';
import type { CheckoutRequest, Occupied, OrderedItem, ResolvedCheckout } from '@billing/domain';
import { withDeadline } from '@billing/platform';
import { createUser, readSale } from '@billing/store';
import type { Sale, UserCustomer } from '@billing/store';
import type { AppDeps } from '../deps.ts';
import type { Try } from './answer-once.ts';
import { checkRedirects } from './check-redirects.ts';

export type CheckoutOrder = { projectId: string; request: CheckoutRequest; oneTry: Try };

/** What is sold to whom, and how. */
export type PreparedSale = {
  items: OrderedItem[];
  checkout: ResolvedCheckout;
  user: UserCustomer;
  /** A buyer's hint says that the user has it already, which does not refuse the sale. */
  isHinted: boolean;
};

export type PrepareDeps = Pick<AppDeps, 'database' | 'clock' | 'checkoutLimit' | 'warnOfOpenRedirects'>;

/** Postgres did not answer in time, or too many ask it. */
export const tooLate = (): ServiceError =>
  new ServiceError('service_unavailable', 'Nothing was charged; send the request again in a moment.', {
    retryable: true,
  });

/** Of the 15 s, what may pass before Stripe is asked. */
const prepareMs = 5_000;

/**
 * What may be sold to whom, in turn, as `checkoutLimit` allows. Nothing is prepared for a caller whose deadline is over.
 * Throws `price_not_found`, `price_archived`, `mode_mismatch`, `group_conflict`, `already_subscribed`, `group_occupied`,
 * `trial_used`, `invalid_request`; only then a user who is new gets a row.
 */
export function prepareSale(deps: PrepareDeps, order: CheckoutOrder): Promise<PreparedSale> {
  const endsAt = performance.now() + prepareMs;
  const prepared = deps.checkoutLimit(async () => {
    if (performance.now() >= endsAt) throw tooLate();
    return prepare(deps, order);
  });
  return withDeadline(prepared, { ms: prepareMs, onTimeout: tooLate });
}

const saleOf = ({ database }: Pick<AppDeps, 'database'>, { projectId, request }: CheckoutOrder) =>
  readSale(database, {
    projectId,
    userId: request.user_id,
    prices: askedItems(request).map(({ price }) => price),
  });

async function prepare(deps: PrepareDeps, order: CheckoutOrder): Promise<PreparedSale> {
  const { projectId, request } = order;
  const sale = await saleOf(deps, order);
  const items = checkItems(request, sale?.prices ?? []);
  if (sale === null) throw new Error('a price was found, but not its project');
  const checkout = resolveCheckout(request, sale.defaults, deps.clock());
  checkAdjustable(items, checkout);
  const { redirectOrigins, held } = sale;
  deps.warnOfOpenRedirects({ projectId, redirectOrigins });
  const { ui: _ui, ...addresses } = checkout.place;
  checkRedirects(redirectOrigins, addresses);
  refuseSecond(findOccupied(items, held));
  return {
    items,
    checkout: { ...checkout, trial: trialLeft(checkout, items, sale) },
    user: sale.user ?? (await createUser(deps.database, { projectId, userId: request.user_id })),
    isHinted: isPossibleDuplicate(items, held),
  };
}

/** Throws `already_subscribed` or `group_occupied`. */
export function refuseSecond(occupied: Occupied | null): void {
  if (occupied === null) return;
  const { code, subscriptionId, path } = occupied;
  const detail =
    code === 'already_subscribed'
      ? 'Send the user to the portal (POST /api/v1/portal/create-session) to change or end the subscription.'
      : 'Change the subscription that the user has (POST /api/v1/subscriptions/{subscription_id}/change), or send the user to the portal (POST /api/v1/portal/create-session).';
  throw new ServiceError(code, detail, { errors: [{ path, message: subscriptionId }] });
}

/** The trial that the buyer gets. Throws `trial_used` where the request asks for one that is not left. */
function trialLeft(
  { trial }: ResolvedCheckout,
  items: readonly OrderedItem[],
  { held }: Sale,
): ResolvedCheckout['trial'] {
  if (trial === null || hasTrialLeft(items, held)) return trial;
  if (!trial.isAsked) return null;
  throw new ServiceError('trial_used', 'Sell without a trial: the user has had as many as the plan allows.');
}

/** Throws `invalid_request` where the buyer could not choose what the request asks for. */
function checkAdjustable(items: readonly OrderedItem[], checkout: ResolvedCheckout): void {
  const range = checkout.options.adjustable_quantity;
  if (range === undefined || checkout.isDefaultAdjustable) return;
  const isOutside = ({ price, quantity = 1 }: OrderedItem): boolean =>
    !price.isMetered && (quantity < range.min || quantity > range.max);
  if (items.some(isOutside))
    throw new ServiceError('invalid_request', 'Let the buyer choose from a range that holds the quantity.', {
      errors: [{ path: 'adjustable_quantity', message: 'must hold the quantity, from min to max' }],
    });
}

/** What is sold, as the catalog has it now, and what the buyer has: for a request that was looked at before. */
export async function readPresent(
  deps: Pick<AppDeps, 'database'>,
  order: CheckoutOrder,
): Promise<Pick<Sale, 'user' | 'held'> & { items: OrderedItem[] }> {
  const sale = await saleOf(deps, order);
  const items = askedItems(order.request).flatMap((asked, index) => {
    const price = sale?.prices[index] ?? null;
    return price === null ? [] : [{ ...asked, price }];
  });
  return { items, user: sale?.user ?? null, held: sale?.held ?? [] };
}
