import type { Stripe } from 'stripe';
import { applyPayment } from './apply-payment.ts';
import { eachPage } from './each-page.ts';
import type { PhaseDeps } from './import-deps.ts';
import type { Scope } from './import-scope.ts';
import { count } from './import-state.ts';
import {
  chargeOf,
  intentOf,
  disputeEvent,
  intentEvent,
  refundEvents,
  sessionEvent,
} from './payment-events.ts';
import type { ImportedEvent } from './payment-events.ts';
import { readStripe } from './read-stripe.ts';

/** One-time payments that went through Checkout: those that sold one of the project's prices. */
export async function importSessions(deps: PhaseDeps, scope: Scope): Promise<void> {
  const expand = ['data.line_items', 'data.payment_intent.latest_charge.refunds'];
  await eachPage(deps, {
    what: 'checkout sessions',
    list: (params) => deps.sync.stripe.checkout.sessions.list({ ...params, status: 'complete', expand }),
    handle: async (sessions) => {
      for (const session of sessions)
        if (session.mode === 'payment') await importSession(deps, scope, session);
    },
  });
}

type WithMetadata = { metadata: Stripe.Metadata | null };

const namedPrice = (scope: Scope, { metadata }: WithMetadata): string | undefined =>
  scope.stripePriceOf.get(metadata?.['price_id'] ?? '');

/** Our id of a price says nothing to rules that know neither the customer nor the project: Stripe's does. */
function withStripePrice<T extends WithMetadata>({ projectId }: PhaseDeps, scope: Scope, object: T): T {
  const named = namedPrice(scope, object);
  const claimed = object.metadata?.['project_id'] ?? projectId;
  if (named === undefined || claimed !== projectId) return object;
  return { ...object, metadata: { ...object.metadata, price_id: named } };
}

async function importSession(deps: PhaseDeps, scope: Scope, session: Stripe.Checkout.Session): Promise<void> {
  count(deps.tally, 'payments_seen');
  const isOurs =
    namedPrice(scope, session) !== undefined ||
    (session.line_items?.data ?? []).some((line) => scope.stripePriceIds.has(line.price?.id ?? ''));
  if (!isOurs) return count(deps.tally, 'payments_of_other_projects');
  const charge = chargeOf(intentOf(session));
  const events = [
    sessionEvent(withStripePrice(deps, scope, session)),
    ...(await reversalEvents(deps, charge)),
  ];
  await applyPayment(deps, scope, { name: session.id, events });
}

/** Payments made without Checkout, whose own metadata names a price of the project. */
export async function importPayments(deps: PhaseDeps, scope: Scope): Promise<void> {
  await eachPage(deps, {
    what: 'payments',
    list: (params) =>
      deps.sync.stripe.paymentIntents.list({ ...params, expand: ['data.latest_charge.refunds'] }),
    handle: async (intents) => {
      for (const intent of intents) await importIntent(deps, scope, intent);
    },
  });
}

async function importIntent(deps: PhaseDeps, scope: Scope, intent: Stripe.PaymentIntent): Promise<void> {
  if (intent.status !== 'succeeded' || namedPrice(scope, intent) === undefined) return;
  // Its session says more.
  if (await hasItsSession(deps, scope, intent.id)) return;
  count(deps.tally, 'payments_seen');
  const events = [
    intentEvent(withStripePrice(deps, scope, intent)),
    ...(await reversalEvents(deps, chargeOf(intent))),
  ];
  await applyPayment(deps, scope, { name: intent.id, events });
}

async function hasItsSession(deps: PhaseDeps, scope: Scope, id: string): Promise<boolean> {
  if (scope.plannedSessionPayments.has(id)) return true;
  const purchase = await deps.sync.database.purchase.findUnique({ where: { id } });
  return typeof purchase?.sessionId === 'string';
}

async function reversalEvents(deps: PhaseDeps, charge: Stripe.Charge | null): Promise<ImportedEvent[]> {
  if (charge === null) return [];
  if (!charge.disputed) return refundEvents(charge);
  const { stripe } = deps.sync;
  const disputes = await readStripe(deps, () => stripe.disputes.list({ charge: charge.id, limit: 100 }));
  return [...refundEvents(charge), ...disputes.data.map(disputeEvent)];
}
