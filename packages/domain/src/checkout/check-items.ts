import type { CheckoutRequest } from '../contracts/checkout-request.ts';
import { ServiceError } from '../errors.ts';
import type { FieldProblem } from '../errors.ts';

/** A price of the catalog, as far as selling it needs. */
export type SellablePrice = {
  priceId: string;
  stripePriceId: string;
  productId: string;
  interval: string;
  isMetered: boolean;
  /** It, or its product. */
  isArchived: boolean;
  /** Of the product; null: it excludes none. */
  group: string | null;
  /** Of the product; null: any number. */
  maxTrials: number | null;
};

/** What a request names: `path` is where. */
export type AskedItem = { price: string; quantity: number | undefined; path: string; quantityPath: string };

/** What is sold. */
export type OrderedItem = Omit<AskedItem, 'price'> & { price: SellablePrice };

export const isRecurring = ({ price }: Pick<OrderedItem, 'price'>): boolean => price.interval !== 'one_time';

/** The items of a request, however it names them. */
export function askedItems(request: Pick<CheckoutRequest, 'price_id' | 'quantity' | 'items'>): AskedItem[] {
  const { price_id: price, quantity, items = [] } = request;
  if (price !== undefined) return [{ price, quantity, path: 'price_id', quantityPath: 'quantity' }];
  return items.map((item, index) => ({
    price: item.price_id,
    quantity: item.quantity,
    path: `items.${index}.price_id`,
    quantityPath: `items.${index}.quantity`,
  }));
}

const invalid = (errors: FieldProblem[]): ServiceError =>
  new ServiceError('invalid_request', 'Correct the items of the sale that `errors` names.', { errors });

/** Whether two items are plans that exclude each other. What is metered may stand beside its own plan. */
function excludeEachOther(one: SellablePrice, other: SellablePrice): boolean {
  if (one.group === null || one.group !== other.group) return false;
  return one.productId !== other.productId || (!one.isMetered && !other.isMetered);
}

function checkMode(items: readonly OrderedItem[], mode: CheckoutRequest['mode']): void {
  const right = items.some(isRecurring) ? 'subscription' : 'payment';
  if (right === mode) return;
  const what = items.length === 1 ? 'this price' : 'these prices';
  throw new ServiceError('mode_mismatch', `Use the mode "${right}" for ${what}.`);
}

/**
 * The items of a request with the prices that they name; null: the project has no such price. Throws `price_not_found`,
 * `price_archived`, `mode_mismatch`, `group_conflict`, and `invalid_request` for a price that is named twice and for the
 * quantity of a metered one.
 */
export function checkItems(
  request: Pick<CheckoutRequest, 'price_id' | 'quantity' | 'items' | 'mode'>,
  prices: readonly (SellablePrice | null)[],
): OrderedItem[] {
  const items = askedItems(request).map((asked, index): OrderedItem => {
    const price = prices[index] ?? null;
    if (price === null)
      throw new ServiceError(
        'price_not_found',
        "Use the id of one of this project's prices, ours or Stripe's.",
        { errors: [{ path: asked.path, message: 'is no price of this project' }] },
      );
    if (price.isArchived)
      throw new ServiceError('price_archived', 'Offer a price that is still sold.', {
        errors: [{ path: asked.path, message: 'is archived' }],
      });
    return { ...asked, price };
  });
  checkMode(items, request.mode);
  const problems = items.flatMap(({ price, quantity, path, quantityPath }, index): FieldProblem[] => [
    ...(items.slice(0, index).some((one) => one.price.priceId === price.priceId)
      ? [{ path, message: 'is named twice' }]
      : []),
    ...(price.isMetered && quantity !== undefined
      ? [{ path: quantityPath, message: 'is not for a metered price' }]
      : []),
  ]);
  if (problems.length > 0) throw invalid(problems);
  const conflicting = items.find((item, index) =>
    items.slice(0, index).some((one) => excludeEachOther(one.price, item.price)),
  );
  if (conflicting !== undefined)
    throw new ServiceError('group_conflict', 'Sell one plan of a group at a time.', {
      errors: [
        { path: conflicting.path, message: `is a second plan of the group ${conflicting.price.group ?? ''}` },
      ],
    });
  return items;
}

/**
 * What a page of a subscription stands for, one entry for each plan's group, or price without one: of each at most one page is
 * open for a buyer.
 */
export const pageSlots = (items: readonly OrderedItem[]): string[] =>
  [
    ...new Set(
      items
        .filter(isRecurring)
        .map(({ price }) => (price.group === null ? `price:${price.stripePriceId}` : `group:${price.group}`)),
    ),
  ].sort();
