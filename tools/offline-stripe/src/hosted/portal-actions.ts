import { attachMethod } from '../billing/payment-methods.ts';
import { changeSubscription, endSubscription, isEnded } from '../billing/subscription-changes.ts';
import { StripeApiError } from '../errors.ts';
import { emitChange } from '../events/emit.ts';
import { defaultConfiguration } from '../resources/portal-configurations.ts';
import { updateSubscription } from '../resources/update-subscription.ts';
import type { PortalConfiguration, PortalSession, Price, Subscription } from '../stripe-objects.ts';
import type { World } from '../world.ts';
import { cardOf } from './card-field.ts';
import type { Form } from './submit-checkout.ts';

export function configurationOf(world: World, session: PortalSession): PortalConfiguration {
  return world.tables.portalConfigurations.get(session.configuration) ?? defaultConfiguration(world);
}

/** The prices that a customer may switch to: those of the configuration, else all recurring ones of the currency. */
export function offeredPrices(world: World, session: PortalSession, subscription: Subscription): Price[] {
  const { products } = configurationOf(world, session).features.subscription_update;
  const listed = products?.flatMap(({ prices }) => prices);
  return world.tables.prices
    .all()
    .filter(
      (price) =>
        price.active &&
        price.recurring?.usage_type === 'licensed' &&
        price.currency === subscription.currency &&
        (listed?.includes(price.id) ?? true),
    );
}

function saveCard(world: World, session: PortalSession, form: Form): void {
  const customer = world.tables.customers.require(session.customer);
  const card = cardOf(world, form.get('card_number'));
  if (card === undefined) throw new StripeApiError({ status: 402, message: 'Your card number is invalid.' });
  const method = attachMethod(world, card, customer.id).id;
  const after = world.tables.customers.update(customer, {
    invoice_settings: { ...customer.invoice_settings, default_payment_method: method },
  });
  emitChange(world, 'customer.updated', { before: customer, after });
  for (const subscription of world.tables.subscriptions.all()) {
    if (subscription.customer !== customer.id || isEnded(subscription)) continue;
    if (subscription.default_payment_method !== null)
      changeSubscription(world, subscription.id, { default_payment_method: method });
  }
}

/** The portal cancels by `cancel_at` and leaves `cancel_at_period_end` false, or at once where it is set up so. */
export function cancelInPortal(world: World, session: PortalSession, subscription: Subscription): void {
  if (isEnded(subscription)) return;
  const { mode } = configurationOf(world, session).features.subscription_cancel;
  if (mode === 'immediately') endSubscription(world, subscription.id, 'cancellation_requested');
  else updateSubscription(world, subscription, { cancel_at: 'min_period_end' });
}

function prorationNamed(name: string): 'always_invoice' | 'create_prorations' | 'none' {
  return name === 'none' || name === 'create_prorations' ? name : 'always_invoice';
}

function switchPlan(
  world: World,
  { session, subscription, form }: { session: PortalSession; subscription: Subscription; form: Form },
): void {
  const [item] = subscription.items.data;
  const price = offeredPrices(world, session, subscription).find(({ id }) => id === form.get('price'));
  if (item === undefined || price === undefined)
    throw new StripeApiError({ status: 400, message: 'This plan is not offered.' });
  const quantity = Number(form.get('quantity') ?? item.quantity ?? 1);
  const { proration_behavior: behavior } = configurationOf(world, session).features.subscription_update;
  updateSubscription(world, subscription, {
    items: [{ id: item.id, price: price.id, quantity: Number.isSafeInteger(quantity) ? quantity : 1 }],
    proration_behavior: prorationNamed(behavior),
    payment_behavior: 'error_if_incomplete',
  });
}

/** Does what a session's flow is for; a sentence where it is refused. */
export function submitFlow(world: World, session: PortalSession, form: Form): string {
  const { flow } = session;
  const id = flow?.subscription_cancel?.subscription ?? flow?.subscription_update?.subscription ?? '';
  try {
    if (flow?.type === 'payment_method_update') saveCard(world, session, form);
    const subscription = world.tables.subscriptions.get(id);
    if (subscription !== undefined && flow?.type === 'subscription_cancel')
      cancelInPortal(world, session, subscription);
    if (subscription !== undefined && flow?.type === 'subscription_update')
      switchPlan(world, { session, subscription, form });
    return '';
  } catch (error) {
    if (error instanceof StripeApiError) return error.message;
    throw error;
  }
}
