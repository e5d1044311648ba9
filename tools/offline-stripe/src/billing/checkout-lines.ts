import { invalid } from '../errors.ts';
import { amountOf } from '../objects/catalog.ts';
import type { CheckoutPlan, SessionDiscount } from '../state/private-rows.ts';
import type { CheckoutSession, LineItem } from '../stripe-objects.ts';
import type { World } from '../world.ts';
import { takeOff, usableCoupon } from './discounts.ts';

/** The lines with what the session's discounts take off them. */
export function discountCheckoutLines(
  world: World,
  lines: LineItem[],
  discounts: readonly SessionDiscount[],
): LineItem[] {
  const plain = lines.map((line) => ({ ...line, amount_discount: 0, amount_total: line.amount_subtotal }));
  let discounted = plain;
  for (const { coupon: id } of discounts) {
    const coupon = usableCoupon(world, id, 'discounts[0][coupon]');
    const off = takeOff(
      coupon,
      discounted.map((line) => line.amount_total),
    );
    discounted = discounted.map((line, index) => ({
      ...line,
      amount_discount: line.amount_discount + (off[index] ?? 0),
      amount_total: line.amount_total - (off[index] ?? 0),
    }));
  }
  return discounted;
}

/** What is due now: recurring lines cost nothing yet where there is a trial. */
export function checkoutSums(
  lines: LineItem[],
  isTrial: boolean,
): Pick<CheckoutSession, 'amount_subtotal' | 'amount_total' | 'total_details'> {
  const due = lines.filter((line) => !isTrial || line.price?.type !== 'recurring');
  const sum = (field: 'amount_subtotal' | 'amount_total' | 'amount_discount'): number =>
    due.reduce((total, line) => total + line[field], 0);
  return {
    amount_subtotal: sum('amount_subtotal'),
    amount_total: sum('amount_total'),
    total_details: { amount_discount: sum('amount_discount'), amount_shipping: 0, amount_tax: 0 },
  };
}

export function hasTrial(plan: CheckoutPlan): boolean {
  return plan.trial_end !== null || plan.trial_days !== null;
}

/** What the payer chose on the page: the quantity of a line, or 0 of an optional one. */
export type LineChoice = { price: string; quantity: number };

function withQuantity(line: LineItem, quantity: number): LineItem {
  const amount = line.price === null ? 0 : amountOf(line.price, quantity);
  return { ...line, quantity, amount_subtotal: amount, amount_total: amount, amount_discount: 0 };
}

/** Applies the payer's choices, as far as the session lets them choose. */
export function chooseLines(
  world: World,
  { session, plan }: { session: CheckoutSession; plan: CheckoutPlan },
  choices: readonly LineChoice[],
): { session: CheckoutSession; plan: CheckoutPlan } {
  if (choices.length === 0) return { session, plan };
  let lines = plan.line_items;
  for (const { price, quantity } of choices) {
    const line = lines.find((one) => one.price?.id === price);
    const offered = plan.optional_lines?.find((one) => one.price?.id === price);
    const chosen = line ?? offered;
    if (chosen === undefined) throw invalid(`The session offers no price ${price}.`, 'line_items');
    const range = chosen.adjustable_quantity;
    const isFree = range?.enabled === true;
    const isWithin = quantity >= (range?.minimum ?? 0) && quantity <= (range?.maximum ?? 999_999);
    if (quantity !== chosen.quantity && !(isFree && isWithin))
      throw invalid(`The session does not let the payer choose ${quantity} of ${price}.`, 'line_items');
    const changed = withQuantity(chosen, quantity);
    lines = line === undefined ? [...lines, changed] : lines.map((one) => (one === line ? changed : one));
  }
  const kept = lines.filter((line) => line.quantity !== 0);
  const discounted = discountCheckoutLines(world, kept, plan.discounts ?? []);
  return {
    session: world.tables.sessions.update(session, checkoutSums(discounted, hasTrial(plan))),
    plan: world.tables.checkoutPlans.update(plan, { line_items: discounted }),
  };
}
