import type { CheckoutPlan } from '../state/private-rows.ts';
import type { CheckoutSession, LineItem } from '../stripe-objects.ts';
import type { World } from '../world.ts';
import { cardField, problem } from './card-field.ts';
import { escapeHtml, formatAmount } from './page.ts';

function priceText(line: LineItem): string {
  const recurring = line.price?.recurring;
  const isMetered = recurring?.usage_type === 'metered';
  const shown = isMetered ? (line.price?.unit_amount ?? 0) : line.amount_total;
  const amount = formatAmount(shown, line.currency);
  if (!recurring) return amount;
  const every =
    recurring.interval_count === 1
      ? recurring.interval
      : `${recurring.interval_count} ${recurring.interval}s`;
  return isMetered ? `${amount} each, by usage, per ${every}` : `${amount} per ${every}`;
}

/** A quantity that the payer may choose is a field. */
function quantityCell(line: LineItem, quantity: number): string {
  const range = line.adjustable_quantity;
  const name = `quantity ${line.price?.id ?? ''}`;
  if (range?.enabled !== true) return String(line.quantity ?? '');
  const label = `Quantity of ${line.description ?? 'this'}`;
  return `<input type="number" aria-label="${escapeHtml(label)}" name="${escapeHtml(name)}" value="${quantity}" min="${range.minimum ?? 0}" max="${range.maximum ?? 99}">`;
}

function lineRow(line: LineItem): string {
  return `<tr><td>${escapeHtml(line.description ?? '')}</td><td>${quantityCell(line, line.quantity ?? 0)}</td><td>${escapeHtml(priceText(line))}</td></tr>`;
}

/** What is offered besides: nothing of it is bought unless the payer says so. */
function optionalRow(line: LineItem): string {
  const range = line.adjustable_quantity ?? { enabled: true, minimum: 0, maximum: line.quantity };
  const most = range.enabled ? range.maximum : line.quantity;
  const offered = { ...line, adjustable_quantity: { enabled: true, minimum: 0, maximum: most } };
  return `<tr><td>${escapeHtml(line.description ?? '')} (optional)</td><td>${quantityCell(offered, 0)}</td><td>${escapeHtml(priceText(line))}</td></tr>`;
}

function promotionField(world: World, session: CheckoutSession): string {
  if (session.allow_promotion_codes !== true) return '';
  const [discount] = session.discounts ?? [];
  const code = world.tables.promotionCodes.get(discount?.promotion_code ?? '');
  if (code !== undefined)
    return `<p>Promotion code <strong id="promotion-code-applied">${escapeHtml(code.code)}</strong>
<button type="submit" id="remove-promotion-code" name="action" value="remove_promotion_code" formnovalidate>Remove</button></p>`;
  return `<p><label>Promotion code <input id="promotion-code" name="promotion_code" autocomplete="off"></label>
<button type="submit" id="apply-promotion-code" name="action" value="apply_promotion_code" formnovalidate>Apply</button></p>`;
}

const field = (name: string, label: string, attributes = ''): string =>
  `<p><label>${label} <input id="${name}" name="${name}" ${attributes}></label></p>`;

/** What the page asks the payer about themselves. */
function payerFields(session: CheckoutSession): string {
  const isRequired = session.billing_address_collection === 'required';
  const required = isRequired ? 'required' : '';
  const asksAddress = isRequired || session.automatic_tax.enabled;
  return [
    session.customer === null && session.customer_email === null
      ? field('email', 'E-mail', 'type="email"')
      : '',
    asksAddress || session.tax_id_collection?.enabled === true ? field('name', 'Name', required) : '',
    asksAddress
      ? field('line1', 'Address', required) +
        field('city', 'City') +
        field('postal_code', 'Postal code') +
        field('country', 'Country (two letters)', `${required} maxlength="2" size="2"`)
      : '',
    session.tax_id_collection?.enabled === true ? field('tax_id', 'Tax ID') : '',
  ].join('');
}

function discountRow(session: CheckoutSession): string {
  const off = session.total_details?.amount_discount ?? 0;
  if (off === 0) return '';
  return `<tr><td colspan="2">Discount</td><td id="amount-discount">−${escapeHtml(formatAmount(off, session.currency ?? 'usd'))}</td></tr>`;
}

const date = (at: number): string => new Date(at * 1000).toISOString().slice(0, 10);

function trialText(plan: CheckoutPlan | undefined): string {
  if (plan?.trial_days) return `<p id="trial">${plan.trial_days} days free.</p>`;
  return plan?.trial_end ? `<p id="trial">Free until ${date(plan.trial_end)}.</p>` : '';
}

export type Shown = { session: CheckoutSession; action: string; message?: string };

/** What the payer sees of an open session; one form, sent to `action`. */
export function checkoutMarkup(world: World, { session, action, message = '' }: Shown): string {
  const plan = world.tables.checkoutPlans.get(session.id);
  const due = formatAmount(session.amount_total ?? 0, session.currency ?? 'usd');
  const needsCard = (session.amount_total ?? 0) > 0 || plan?.collects_payment_method === true;
  const lines = plan?.line_items ?? [];
  const optional = (plan?.optional_lines ?? []).filter(
    ({ price }) => !lines.some((line) => line.price?.id === price?.id),
  );
  return `${problem(message)}<form method="post" action="${escapeHtml(action)}">
<table>
<caption>${session.mode === 'subscription' ? 'Subscription' : 'One-time payment'}</caption>
<thead><tr><th scope="col">Item</th><th scope="col">Quantity</th><th scope="col">Price</th></tr></thead>
<tbody>${lines.map(lineRow).join('')}${optional.map(optionalRow).join('')}${discountRow(session)}</tbody>
</table>
${trialText(plan)}
<p>Due today: <strong id="amount-due">${escapeHtml(due)}</strong></p>
${promotionField(world, session)}${payerFields(session)}${needsCard ? cardField : ''}
<button type="submit" id="pay" name="action" value="pay">Pay</button>
</form>`;
}
